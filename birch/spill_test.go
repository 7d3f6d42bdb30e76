package birch

import (
	"slices"
	"testing"
)

// spilledIDs returns the ids of the spilled entries, ascending.
func spilledIDs(tree *Tree) []ID {
	ids := []ID{}
	for e := range tree.Spilled() {
		ids = append(ids, e.ID)
	}
	slices.Sort(ids)
	return ids
}

func TestOutliersAreSpilledAndReturn(t *testing.T) {
	tree := mustNew(t, Config{Dim: 1, Threshold: 0.1, MaxEntries: 8, SpillLimit: 6, OutlierShare: 0.5})
	for _, x := range []float32{100, 200, 300} {
		mustInsert(t, tree, []float32{x})
	}
	for p := range 50 {
		mustInsert(t, tree, []float32{float32(p % 5)})
	}
	// The ninth entry is one too many: the lone vectors make room for it.
	in := mustInsert(t, tree, []float32{50})
	checkInvariants(t, tree)
	if !in.Created || len(in.Merges) > 0 || tree.Threshold() != 0.1 || !slices.Equal(spilledIDs(tree), []ID{1, 2, 3}) {
		t.Fatalf("%+v, the threshold is %g and %v are spilled, want 0.1 and 1 to 3", in, tree.Threshold(), spilledIDs(tree))
	}
	if e, ok := tree.Entry(1); !ok || e.N != 1 || e.Mean[0] != 100 {
		t.Fatalf("the spilled entry is %+v, %v", e, ok)
	}
	// Company comes; the next rebuild finds that they belong together.
	for range 20 {
		mustInsert(t, tree, []float32{100})
	}
	mustInsert(t, tree, []float32{-50})
	in = mustInsert(t, tree, []float32{-60})
	if want := (Merge{From: 1, To: 10}); !slices.Equal(in.Merges, []Merge{want}) {
		t.Errorf("the merges are %v, want %v", in.Merges, want)
	}
	if e, _ := tree.Entry(10); e.N != 21 {
		t.Errorf("the entry at 100 is %+v, want 21 vectors", e)
	}
	if got := spilledIDs(tree); !slices.Equal(got, []ID{2, 3, 9, 11}) {
		t.Errorf("%v are spilled, want the lone vectors at 200, 300, 50 and -50", got)
	}
	checkInvariants(t, tree)
}

func TestDelayedSplitsMakeTheMostOfAThreshold(t *testing.T) {
	tree := mustNew(t, Config{Dim: 1, Threshold: 0.1, MaxEntries: 4, SpillLimit: 3, DelaySplits: true})
	for p := range 4 {
		mustInsert(t, tree, []float32{10 * float32(p)})
	}
	for i, x := range []float32{1, 2, 0.05, 3, 30.05} {
		in := mustInsert(t, tree, []float32{x})
		if delayed := x == 1 || x == 2 || x == 3; in.Created != delayed || len(in.Merges) > 0 {
			t.Errorf("vector %d: %+v, want it delayed: %v", i, in, delayed)
		}
		if in.Created && !slices.Contains(spilledIDs(tree), in.Entry) {
			t.Errorf("vector %d: entry %d is not spilled", i, in.Entry)
		}
	}
	if tree.Threshold() != 0.1 || tree.Len() != 4 {
		t.Fatalf("%d entries and the threshold %g, want no rebuild", tree.Len(), tree.Threshold())
	}
	in := mustInsert(t, tree, []float32{4})
	if tree.Threshold() == 0.1 || len(in.Merges) == 0 {
		t.Errorf("the spill is full and there was no rebuild: %+v", in)
	}
	checkInvariants(t, tree)
	if n := whole(tree).n; n != 10 {
		t.Errorf("the tree sums up %g vectors, want 10", n)
	}
}

func TestReadmitReturnsEverything(t *testing.T) {
	for _, c := range []Config{{OutlierShare: 0.8}, {DelaySplits: true}, {OutlierShare: 0.8, DelaySplits: true}} {
		c.Dim, c.Threshold, c.MaxEntries, c.SpillLimit = 8, 0.05, 40, 60
		tree := mustNew(t, c)
		x := make([]float32, 8)
		spilled := 0
		for p := range 500 {
			grouped(x, p, 10+p)
			mustInsert(t, tree, x)
			spilled = max(spilled, tree.spill.len())
		}
		entries := tree.Len() + tree.spill.len()
		merges := tree.Readmit()
		checkInvariants(t, tree)
		if tree.spill.len() > 0 || tree.Len() != entries-len(merges) || whole(tree).n != 500 {
			t.Errorf("%+v: %d entries of %g vectors after %d merges, before there were %d", c, tree.Len(), whole(tree).n, len(merges), entries)
		}
		if spilled < 20 {
			t.Errorf("%+v: at most %d entries were spilled", c, spilled)
		}
	}
}

// One-off vectors take the room of the clusters unless they are spilled.
func TestSpillingKeepsTheThresholdLow(t *testing.T) {
	thresholds := map[float64]float64{}
	for _, share := range []float64{0, 0.5} {
		tree := mustNew(t, Config{Dim: 16, Threshold: 0.1, MaxEntries: 200, SpillLimit: 400, OutlierShare: share})
		x := make([]float32, 16)
		for p := range 4000 {
			groups := 60
			if p%10 == 0 {
				groups = 1 << 18
			}
			grouped(x, p, groups)
			mustInsert(t, tree, x)
		}
		thresholds[share] = tree.Threshold()
	}
	if thresholds[0.5] >= thresholds[0] {
		t.Errorf("the threshold is %g with spilling, %g without", thresholds[0.5], thresholds[0])
	}
}
