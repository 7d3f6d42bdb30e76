package birch

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestNearestIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree := mustNew(t, drawConfig(t))
		xs := drawVectors(t, tree.config.Dim)
		for _, x := range xs {
			mustInsert(t, tree, x)
		}
		k := rapid.IntRange(1, 20).Draw(t, "k")
		x := xs[len(xs)/2]
		got, err := tree.Nearest(x, k)
		if err != nil {
			t.Fatal(err)
		}
		want := everyNeighbour(t, tree, x)
		if want = want[:min(k, len(want))]; !slices.Equal(got, want) {
			t.Fatalf("nearest are %v, want %v", got, want)
		}
	})
}

// everyNeighbour returns all entries, nearest first, without shortcuts.
func everyNeighbour(t rapid.TB, tree *Tree, x []float32) []Neighbour {
	f, err := tree.vector(x, make([]float64, len(x)))
	if err != nil {
		t.Fatal(err)
	}
	slots := make([]int32, tree.Len())
	for i := range slots {
		slots[i] = int32(i)
	}
	all := tree.neighbours(&f, slots)
	slices.SortFunc(all, tree.nearer)
	return all
}

func TestNearestByEachCriterion(t *testing.T) {
	across := Neighbour{ID: 1, Similarity: 0, Distance: 1}
	far := Neighbour{ID: 2, Similarity: 0, Distance: math.Sqrt(10)}
	along := Neighbour{ID: 3, Similarity: 1, Distance: 4}
	for criterion, want := range map[Criterion][]Neighbour{
		Radius: {across, far, along},
		Cosine: {along, across, far}, // of equal cosine the smaller id first
	} {
		tree := mustNew(t, Config{Dim: 2, Criterion: criterion})
		for _, x := range [][]float32{{0, 1e-10}, {0, 3}, {5, 0}} {
			mustCreate(t, tree, x)
		}
		got, err := tree.Nearest([]float32{1, 0}, 10)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%v: neighbours are %+v, want %+v", criterion, got, want)
		}
	}
}

// mustCreate makes x an entry of its own even if another would absorb it.
func mustCreate(t *testing.T, tree *Tree, x []float32) {
	t.Helper()
	f, err := tree.vector(x, make([]float64, len(x)))
	if err != nil {
		t.Fatal(err)
	}
	slot, _ := tree.lookup(&f)
	tree.create(slot, &f, tree.nextID)
	tree.nextID++
}

func TestNearestOfNothing(t *testing.T) {
	tree := mustNew(t, Config{Dim: 2})
	if near, err := tree.Nearest([]float32{1, 2}, 3); err != nil || len(near) != 0 {
		t.Errorf("an empty tree has the neighbours %v, error %v", near, err)
	}
	if _, err := tree.Nearest([]float32{1, 2}, 0); err == nil {
		t.Error("no error for 0 neighbours")
	}
}
