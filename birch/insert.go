package birch

import "fmt"

// An Insertion is what one Insert did.
type Insertion struct {
	// Entry is the leaf entry that holds the vector.
	Entry ID
	// Created says that the entry is new.
	Created bool
	// Merges are the leaf entries that a rebuild joined, in order, before the
	// vector was placed; mostly there are none.
	Merges []Merge
}

// A Merge says that the leaf entry From became part of To, and its id ended. To
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
	if t.scratch.mean == nil {
		t.scratch.mean = make([]float64, t.config.Dim)
	}
	f, err := t.vector(x, t.scratch.mean)
	if err != nil {
		return Insertion{}, fmt.Errorf("inserting vector: %w", err)
	}
	var merges []Merge
	slot, absorbs := t.lookup(&f)
	if !absorbs && t.Len() == t.config.MaxEntries {
		merges = t.rebuild()
		slot, absorbs = t.lookup(&f)
	}
	if absorbs {
		t.absorb(slot, &f)
		return Insertion{t.ids[slot], false, merges}, nil
	}
	id := t.nextID
	t.nextID++
	t.create(slot, &f, id)
	return Insertion{id, true, merges}, nil
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
	if n := t.Len(); n == cap(t.entries.moments) {
		t.entries.reserve(min(max(16, 2*n), t.config.MaxEntries))
	}
	slot := t.entries.add(x)
	t.ids = append(t.ids, id)
	t.leaves = append(t.leaves, leaf)
	t.slots[id] = slot
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
