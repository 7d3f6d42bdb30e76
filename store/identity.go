package store

import (
	"errors"
	"fmt"
)

// An Identity says what a state was made with. It never changes.
type Identity struct {
	// Model is the name of the embedding model and Fingerprint that of its
	// weights: embeddings of two fingerprints cannot be compared.
	Model, Fingerprint string
	// Dim is the number of components of every embedding, from 1 to MaxDim.
	Dim int
	// Settings is the canonical JSON of the settings of the clustering, which
	// the store keeps and does not read.
	Settings string
}

// MaxDim is the largest dimension of an embedding.
const MaxDim = 1 << 16

func (id Identity) validate() error {
	if id.Model == "" {
		return errors.New("identity has no model")
	}
	if id.Dim < 1 || id.Dim > MaxDim {
		return fmt.Errorf("identity has dimension %d, want 1 to %d", id.Dim, MaxDim)
	}
	return nil
}

func (id Identity) modelString() string {
	return fmt.Sprintf("%q (fingerprint %q, %d dimensions)", id.Model, id.Fingerprint, id.Dim)
}

// sum is the checksum of the identity's row.
func (id Identity) sum() uint32 {
	var b sumBuilder
	b.string(id.Model)
	b.string(id.Fingerprint)
	b.int(int64(id.Dim))
	b.string(id.Settings)
	return b.sum()
}
