package birch

import (
	"fmt"
	"slices"
)

// An Insertion is what one Insert did.
type Insertion struct {
	// Entry is the leaf entry that holds the vector, or with DelaySplits the spilled
	// one.
	Entry ID
	// Created says that the entry is new.
	Created bool
	// Merges are the entries that a rebuild joined, in order, before the vector was
	// placed; mostly there are none.
	Merges []Merge
}

// A Merge says that the entry From became part of To, and its id ended. To
// was the heavier one or, of equally heavy ones, that with the smaller id. A later
// merge may end To in turn.
type Merge struct{ From, To ID }

// Insert places x, which it does not keep, in the nearest leaf entry, or in a new
// one if that does not absorb it. A new one that would be over MaxEntries first
// makes the tree rebuild itself.
//
// A vector of the wrong length, with a value that is not finite, with a norm over
// 2^60 or, with Criterion Cosine, of zero, is an error and leaves the tree as it
// was.
func (t *Tree) Insert(x []float32) (Insertion, error) {
	f, err := t.vector(x, t.meanBuffer())
	if err != nil {
		return Insertion{}, fmt.Errorf("inserting vector: %w", err)
	}
	return t.place(&f), nil
}

// meanBuffer returns room for the float64 copy of a vector, the same every time.
func (t *Tree) meanBuffer() []float64 {
	if t.scratch.mean == nil {
		t.scratch.mean = make([]float64, t.config.Dim)
	}
	return t.scratch.mean
}

// InsertEntry places the vectors that e sums up, as Insert would place one: whole
// in the nearest leaf entry, if that absorbs them together, or in a new one. e.ID
// does not matter, and e.Mean is not kept.
//
// A mean that Insert would refuse, a weight N outside 2^-100 to 2^53 and an S that is
// negative or beyond what vectors within Insert's bound can have are errors and leave
// the tree as it was.
func (t *Tree) InsertEntry(e Entry) (Insertion, error) {
	f, err := t.vector(e.Mean, t.meanBuffer())
	switch {
	case err != nil:
		return Insertion{}, fmt.Errorf("inserting entry: mean: %w", err)
	case !(e.N >= minWeight && e.N <= maxWeight):
		return Insertion{}, fmt.Errorf("inserting entry: N is %g, want 2^-100 to 2^53", e.N)
	case !(e.S >= 0 && e.S <= maxVariance*e.N):
		return Insertion{}, fmt.Errorf("inserting entry: S is %g, want 0 to 2^122 times N", e.S)
	}
	f.n, f.s = e.N, e.S
	return t.place(&f), nil
}

// place adds x to the nearest entry or makes it one.
func (t *Tree) place(x *feature) Insertion {
	var merges []Merge
	slot, absorbs := t.guardedLookup(x)
	full := !absorbs && t.isFull()
	delayed := full && t.delays()
	if full && !delayed {
		merges = t.rebuild()
		slot, absorbs = t.guardedLookup(x)
		if !absorbs && t.isFull() {
			// What had been spilled took the room: with MaxBytes, that of nodes, of which
			// a tall tree may need one on each level.
			merges = append(merges, t.shrink()...)
			slot, absorbs = t.guardedLookup(x)
		}
	}
	if absorbs {
		t.absorb(slot, x)
		return Insertion{t.entries.ids[slot], false, merges}
	}
	id := t.nextID
	t.nextID++
	if delayed {
		t.spill.enrol(x, id)
	} else {
		t.create(slot, x, id)
	}
	return Insertion{id, true, merges}
}

// guardedLookup is lookup with the guard of Config.MinCosine.
func (t *Tree) guardedLookup(x *feature) (slot int32, absorbs bool) {
	slot, absorbs = t.lookup(x)
	if !absorbs || t.config.MinCosine == 0 {
		return slot, absorbs
	}
	entry := t.entries.at(slot)
	return slot, cosine(x, &entry) >= t.config.MinCosine || slices.Equal(x.mean, entry.mean)
}

// absorb adds x to an entry and to all above it.
func (t *Tree) absorb(slot int32, x *feature) {
	t.entries.merge(slot, x)
	t.hasChanged(slot)
	t.addAbove(t.leaves[slot], x)
}

// create makes x an entry of its own in the leaf of the entry near.
func (t *Tree) create(near int32, x *feature, id ID) {
	leaf := t.root
	if near != none {
		leaf = t.leaves[near]
	}
	slot := t.entries.enrol(x, id)
	t.leaves = append(t.leaves, leaf)
	t.nodes[leaf].children = append(t.nodes[leaf].children, slot)
	t.addAbove(leaf, x)
	t.splitUpwards(leaf)
}

// addAbove adds x to the centres of a node and all above it, but for the root.
func (t *Tree) addAbove(at int32, x *feature) {
	for ; at != t.root; at = t.nodes[at].parent {
		t.centres.merge(at, x)
	}
}
