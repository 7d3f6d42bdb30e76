// Package embed turns texts into vectors. An [Embedder] is one loaded model;
// package embed/models finds the implementation that a model's name asks for.
package embed

import (
	"context"
	"fmt"
)

// An Embedder is a loaded model. It is safe for use by several goroutines.
type Embedder interface {
	// Embed returns one row per text, each a unit vector of Dim float32
	// values. The result of a text does not depend on the texts beside it.
	// The caller owns the rows. A [TextError] says that one text cannot be
	// embedded; any other error is about the model.
	Embed(ctx context.Context, texts []string) ([][]float32, error)
	// Dim is the length of a vector.
	Dim() int
	// Info describes the model.
	Info() Info
}

// A TextError says that one text of a batch has no vector; the others may.
type TextError struct {
	// Index is the text's place in the batch.
	Index int
	Err   error
}

func (e *TextError) Error() string { return fmt.Sprintf("embedding text %d: %v", e.Index, e.Err) }

// Unwrap returns what is wrong with the text.
func (e *TextError) Unwrap() error { return e.Err }

// Info describes a model.
type Info struct {
	// Name is what --model takes.
	Name string `json:"name"`
	// Fingerprint changes whenever the vectors of the model may change. A
	// state holds the fingerprint of the model it was made with.
	Fingerprint string `json:"fingerprint"`
	Dim         int    `json:"dim"`
	// Description says in a sentence what the model is.
	Description string `json:"description"`
	// Licence is an SPDX expression.
	Licence string `json:"licence"`
}
