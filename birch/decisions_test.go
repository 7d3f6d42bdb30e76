package birch

import (
	"encoding/binary"
	"hash/fnv"
	"testing"
)

// The hashes were taken when the tree could do no more than insert, and hold on
// every CPU: whatever is added later, what a tree decides by default stays.
func TestDefaultDecisionsStay(t *testing.T) {
	for _, c := range []struct {
		Config
		want uint64
	}{
		{Config{Criterion: Cosine, Threshold: 0.6, ScanLimit: 150}, 0xa53429e4662781a6},
		{Config{Criterion: Cosine, Threshold: 0.2, ScanLimit: 300}, 0x4b3f517e6f003bc4},
		{Config{Criterion: Cosine, Threshold: 0.2}, 0x67cd0e7b98357ca5},
		{Config{Criterion: Radius, Threshold: 0.2, ScanLimit: 150}, 0x56d1239278eaf0c1},
		{Config{Criterion: Radius, Threshold: 0.2, Branching: 5, LeafCapacity: 9}, 0x99c7f5f57475d995},
	} {
		c.Dim, c.MaxEntries = 100, 301
		if got := decisions(t, mustNew(t, c.Config)); got != c.want {
			t.Errorf("%+v: the decisions have the hash %#016x, want %#016x", c.Config, got, c.want)
		}
	}
}

// decisions returns a hash of all that a tree says while it takes in a stream.
func decisions(t *testing.T, tree *Tree) uint64 {
	t.Helper()
	h := fnv.New64a()
	write := func(v any) { _ = binary.Write(h, binary.LittleEndian, v) } // a hash takes every write
	x := make([]float32, tree.config.Dim)
	for p := range 6000 {
		grouped(x, p, 40+p)
		in := mustInsert(t, tree, x)
		write(in.Entry)
		write(in.Created)
		write(in.Merges)
		write(tree.Threshold())
	}
	return h.Sum64()
}
