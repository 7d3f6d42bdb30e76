// Package models finds the model that a name asks for.
//
//	model, err := models.Open(ctx, "builtin", models.Options{})
//	for _, info := range models.List() { ... }
package models

import (
	"context"
	"fmt"
	"strings"

	"starling/embed"
	"starling/embed/static"
)

// Builtin is another name of the model that needs no download.
const Builtin = "builtin"

// Options say how a model is loaded. The zero value is right for most.
type Options struct {
	// Dtype is the number format that the model computes in. Empty leaves the
	// choice to the model. The built-in one has "f32" only.
	Dtype string
	// NoNormalize leaves vectors at the length that the model gives them. Those
	// of the built-in model have length one all the same.
	NoNormalize bool
}

// A Tokenizer is a model that can show the ids of a text's tokens, special
// tokens included.
type Tokenizer interface {
	Tokenize(text string) []int
}

// Open loads the model name: one of those that [List] names, or [Builtin].
// Folders and names of a model hub are not known yet. Not every model is a
// [Tokenizer].
func Open(ctx context.Context, name string, opts Options) (embed.Embedder, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("opening model %q: %w", name, err)
	}
	switch name {
	case Builtin, static.Name:
		return openStatic(name, opts)
	}
	return nil, fmt.Errorf("no model %q: known models are %s; folders and hub names are not supported",
		name, strings.Join(names(), ", "))
}

func openStatic(name string, opts Options) (embed.Embedder, error) {
	if opts.Dtype != "" && opts.Dtype != "f32" {
		return nil, fmt.Errorf("model %q has no dtype %q: it has f32 only", name, opts.Dtype)
	}
	model, err := static.New()
	if err != nil {
		return nil, fmt.Errorf("opening model %q: %w", name, err)
	}
	return model, nil
}

// List describes the models that need no download.
func List() []embed.Info { return []embed.Info{static.Describe()} }

func names() []string {
	names := []string{Builtin}
	for _, info := range List() {
		names = append(names, info.Name)
	}
	return names
}
