package birch

import (
	"bytes"
	"math"
	"strings"
	"testing"
)

func TestRemoveUndoesInsert(t *testing.T) {
	tree := mustNew(t, Config{Dim: 2, Threshold: 2})
	for _, x := range [][]float32{{1, 0}, {0, 1}, {9, 9}} {
		mustInsert(t, tree, x)
	}
	before, _ := tree.Entry(1)
	mean := [2]float32(before.Mean)
	if in := mustInsert(t, tree, []float32{1, 1}); in.Entry != 1 {
		t.Fatalf("entry %d took the vector in, want 1", in.Entry)
	}
	mustRemove(t, tree, 1, []float32{1, 1})
	after, ok := tree.Entry(1)
	if !ok || after.N != 2 || math.Abs(after.S-1) > 1e-15 || [2]float32(after.Mean) != mean {
		t.Errorf("the entry is %+v, want %+v with the mean %v", after, before, mean)
	}
}

func mustRemove(t *testing.T, tree *Tree, id ID, x []float32) {
	t.Helper()
	if err := tree.Remove(id, x); err != nil {
		t.Fatal(err)
	}
	checkInvariants(t, tree)
}

// A tree out of which every vector is taken is an empty one that goes on.
func TestRemoveEverything(t *testing.T) {
	tree := mustNew(t, Config{Dim: 3, Threshold: 0.01, Branching: 3, MaxEntries: 500})
	xs := make([][]float32, 300)
	ids := make([]ID, len(xs))
	for p := range xs {
		xs[p] = make([]float32, 3)
		grouped(xs[p], p, 1000)
		in := mustInsert(t, tree, xs[p])
		if ids[p] = in.Entry; len(in.Merges) > 0 {
			t.Fatal("a rebuild took part")
		}
	}
	for p := range xs {
		q := p * 7 % len(xs)
		mustRemove(t, tree, ids[q], xs[q])
		if _, err := Decode(encoded(t, tree)); err != nil {
			t.Fatal(err)
		}
	}
	if tree.Len() != 0 || len(tree.nodes) != 1 {
		t.Fatalf("%d entries and %d nodes are left", tree.Len(), len(tree.nodes))
	}
	if in := mustInsert(t, tree, xs[0]); !in.Created || in.Entry <= ids[len(ids)-1] {
		t.Errorf("the next vector is in entry %+v, want a new one", in)
	}
}

// S is a sum of squares even if the vector was never there.
func TestRemovedStrangerLeavesNoNegativeS(t *testing.T) {
	tree := mustNew(t, Config{Dim: 1, Threshold: 1})
	for range 3 {
		mustInsert(t, tree, []float32{1})
	}
	mustRemove(t, tree, 1, []float32{2})
	if e, _ := tree.Entry(1); e.S != 0 || e.N != 2 || e.Mean[0] != 0.5 {
		t.Errorf("the entry is %+v, want S=0 and the mean 0.5", e)
	}
}

func TestBadRemovalsLeaveTheTreeAsItWas(t *testing.T) {
	tree := mustNew(t, Config{Dim: 1, Threshold: 1})
	far := float32(math.Sqrt(maxNorm2))
	for _, x := range []float32{1, 1, far, far} {
		mustInsert(t, tree, []float32{x})
	}
	if err := tree.Decay(0.75); err != nil {
		t.Fatal(err)
	}
	before := encoded(t, tree)
	for _, c := range []struct {
		id     ID
		x      []float32
		weight float64
		says   string
	}{
		{1, []float32{1, 2}, 1, "2 values"},
		{1, []float32{float32(math.NaN())}, 1, "value 0 is NaN"},
		{0, []float32{1}, 1, "no entry 0"},
		{3, []float32{1}, 1, "no entry 3"},
		{1, []float32{1}, 2, "entry 1 weighs 1.5"},
		{1, []float32{1}, 0, "from which 0 cannot"},
		{1, []float32{1}, -1, "from which -1 cannot"},
		{1, []float32{1}, math.NaN(), "from which NaN cannot"},
		{1, []float32{1}, math.Inf(1), "from which +Inf cannot"},
		{2, []float32{-far}, 1, "not among those of entry 2"},
	} {
		if err := tree.RemoveWeighted(c.id, c.x, c.weight); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("removing %v of the weight %g from %d gives the error %v, want one that says %q", c.x, c.weight, c.id, err, c.says)
		}
		if !bytes.Equal(encoded(t, tree), before) {
			t.Fatalf("removing %v of the weight %g from %d changed the tree", c.x, c.weight, c.id)
		}
	}
}

// What is expected survives the removal of a vector and is dropped with an entry.
func TestRemoveWhileVectorsAreExpected(t *testing.T) {
	tree := mustNew(t, Config{Dim: 1, Threshold: 0.3, ScanLimit: 10})
	for _, x := range []float32{0, 1, 1.5, 9} {
		mustInsert(t, tree, []float32{x})
	}
	tree.Expect([][]float32{{0}, {9}, {1}, {9}})
	for _, c := range []struct {
		x, removed float32
		want, from ID
	}{{0, 1.5, 1, 2}, {9, 1, 3, 2}, {1, 0, 4, 1}} {
		if in := mustInsert(t, tree, []float32{c.x}); in.Entry != c.want {
			t.Errorf("%g is in entry %d, want %d", c.x, in.Entry, c.want)
		}
		mustRemove(t, tree, c.from, []float32{c.removed})
		checkExpected(t, tree)
	}
}
