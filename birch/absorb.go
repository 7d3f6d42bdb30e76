package birch

import (
	"errors"
	"fmt"
)

// An Absorption is what one Absorb did.
type Absorption struct {
	// Origins say where each entry of the other tree is at the end, in the order of
	// Entries and then Spilled.
	Origins []Origin
	// Merges are the entries of this tree that rebuilds joined on the way, in order; those made for entries of the other tree may be among them.
	Merges []Merge
}

// An Origin says that the entry with the id Theirs in another tree is part of that
// with the id Ours in this one.
type Origin struct{ Theirs, Ours ID }

// Absorb adds the entries of another tree, which stays as it is, to this one:
// cluster features are additive, so the entries that absorb others are those of all
// the vectors in both. Each entry is placed as Insert places a vector, and keeps what
// this tree is configured for: its criterion, threshold and bounds.
//
// The trees' vectors have one length; otherwise, and for a tree that would absorb
// itself, there is an error and the tree is as it was.
func (t *Tree) Absorb(other *Tree) (Absorption, error) {
	switch {
	case t == other:
		return Absorption{}, errors.New("absorbing tree: it is the tree itself")
	case t.config.Dim != other.config.Dim:
		return Absorption{}, fmt.Errorf("absorbing tree: its vectors have %d values, want %d", other.config.Dim, t.config.Dim)
	}
	var a Absorption
	t.Expect(other.rows())
	for _, r := range []*roster{&other.entries, &other.spill} {
		for slot, id := range r.ids {
			f := r.at(int32(slot))
			in := t.place(&f)
			a.Origins = append(a.Origins, Origin{id, in.Entry})
			a.Merges = append(a.Merges, in.Merges...)
		}
	}
	t.Expect(nil)
	follow(a.Origins, a.Merges)
	return a, nil
}

// follow brings origins up to date with merges that came after them.
func follow(origins []Origin, merges []Merge) {
	into := make(map[ID]ID, len(merges))
	for _, m := range merges {
		into[m.From] = m.To
	}
	for i := range origins {
		for to, ended := into[origins[i].Ours]; ended; to, ended = into[to] {
			origins[i].Ours = to
		}
	}
}
