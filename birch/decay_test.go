package birch

import (
	"bytes"
	"math"
	"slices"
	"testing"
)

func TestDecayShrinksWeightsAndKeepsMeans(t *testing.T) {
	tree := mustNew(t, Config{Dim: 1, Threshold: 1})
	for _, x := range []float32{0, 1, 9} {
		mustInsert(t, tree, []float32{x})
	}
	mustDecay(t, tree, 0.5)
	if e, _ := tree.Entry(1); e.N != 1 || e.S != 0.25 || e.Mean[0] != 0.5 {
		t.Errorf("entry 1 is %+v, want half the weight", e)
	}
	// The two old vectors now weigh as much as the new one.
	mustInsert(t, tree, []float32{1.5})
	if e, _ := tree.Entry(1); e.N != 2 || e.Mean[0] != 1 || e.S != 0.75 {
		t.Errorf("entry 1 is %+v, want the mean 1", e)
	}
}

func mustDecay(t *testing.T, tree *Tree, factor float64) {
	t.Helper()
	if err := tree.Decay(factor); err != nil {
		t.Fatal(err)
	}
	checkInvariants(t, tree)
}

func TestExpireTakesOutTheLightest(t *testing.T) {
	tree := mustNew(t, Config{Dim: 1, Threshold: 0.1, Branching: 2})
	for i := range 20 {
		mustInsert(t, tree, []float32{float32(i)})
	}
	mustDecay(t, tree, 0.5)
	for _, x := range []float32{3, 17} {
		mustInsert(t, tree, []float32{x})
	}
	for _, c := range []struct {
		floor   float64
		expired int
		left    []ID
	}{{0.5, 0, nil}, {math.NaN(), 0, nil}, {1, 18, []ID{4, 18}}, {9, 2, []ID{}}} {
		expired := tree.Expire(c.floor)
		checkInvariants(t, tree)
		if len(expired) != c.expired || !slices.IsSorted(expired) {
			t.Errorf("floor %g: %v expired, want %d", c.floor, expired, c.expired)
		}
		if left := idsOf(tree); c.left != nil && !slices.Equal(left, c.left) {
			t.Errorf("floor %g: entries %v are left, want %v", c.floor, left, c.left)
		}
	}
}

// idsOf returns the ids of all entries, ascending.
func idsOf(tree *Tree) []ID {
	ids := []ID{}
	for e := range tree.Entries() {
		ids = append(ids, e.ID)
	}
	slices.Sort(ids)
	return ids
}

// However often a tree decays, its weights are numbers over 0 that it can be encoded
// with, and new vectors outweigh the old.
func TestDecayHasAnEnd(t *testing.T) {
	tree := mustNew(t, Config{Dim: 1, Threshold: 0.1, Branching: 2})
	for i := range 30 {
		mustInsert(t, tree, []float32{float32(i % 10)})
		mustDecay(t, tree, 1e-7)
	}
	if e, _ := tree.Entry(1); e.N < minWeight || e.N > 1e-6 {
		t.Errorf("entry 1 weighs %g", e.N)
	}
	if _, err := Decode(encoded(t, tree)); err != nil {
		t.Fatal(err)
	}
	mustInsert(t, tree, []float32{0.05})
	if e, _ := tree.Entry(1); e.N < 1 || math.Abs(float64(e.Mean[0])-0.05) > 1e-5 {
		t.Errorf("entry 1 is %+v, want the new vector", e)
	}
}

func TestBadFactorsLeaveTheTreeAsItWas(t *testing.T) {
	tree := smallTree(t)
	before := encoded(t, tree)
	for _, factor := range []float64{0, -1, 1.1, math.NaN(), math.Inf(1)} {
		if err := tree.Decay(factor); err == nil {
			t.Errorf("a factor of %g passes", factor)
		}
		if !bytes.Equal(encoded(t, tree), before) {
			t.Errorf("a factor of %g changed the tree", factor)
		}
	}
}
