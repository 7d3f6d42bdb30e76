package birch

import (
	"bytes"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// A tree whose threshold is raised has the entries of one that is rebuilt, and says
// what joined; one whose threshold is lowered keeps its entries.
func TestSetThresholdKeepsEveryVector(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree := mustNew(t, drawConfig(t))
		xs := drawVectors(t, tree.config.Dim)
		members := map[ID]float64{}
		for i, x := range xs {
			if i%20 == 10 {
				threshold := rapid.Float64Range(0, 1.4).Draw(t, "threshold")
				merges := mustSetThreshold(t, tree, threshold)
				moveMembers(t, members, merges)
				checkInvariants(t, tree)
			}
			in := mustInsert(t, tree, x)
			moveMembers(t, members, in.Merges)
			members[in.Entry]++
		}
		for id, n := range members {
			if e, ok := tree.Entry(id); !ok || e.N != n {
				t.Fatalf("entry %d holds %g vectors, by the lineage %g", id, e.N, n)
			}
		}
		if len(members) != tree.Len()+tree.spill.len() {
			t.Fatalf("%d and %d entries, by the lineage %d", tree.Len(), tree.spill.len(), len(members))
		}
	})
}

func mustSetThreshold(t rapid.TB, tree *Tree, threshold float64) []Merge {
	t.Helper()
	before, entries := tree.Threshold(), tree.Len()+tree.spill.len()
	merges, err := tree.SetThreshold(threshold)
	if err != nil {
		t.Fatal(err)
	}
	if tree.Threshold() != threshold {
		t.Fatalf("the threshold is %g, want %g", tree.Threshold(), threshold)
	}
	if tree.Len()+tree.spill.len() != entries-len(merges) || threshold <= before && len(merges) > 0 {
		t.Fatalf("from %g to %g: %d entries became %d by %d merges", before, threshold, entries, tree.Len(), len(merges))
	}
	return merges
}

func moveMembers(t rapid.TB, members map[ID]float64, merges []Merge) {
	t.Helper()
	for _, m := range merges {
		if members[m.From] == 0 || members[m.To] == 0 {
			t.Fatalf("entry %d went into %d, which hold %g and %g vectors", m.From, m.To, members[m.From], members[m.To])
		}
		members[m.To] += members[m.From]
		delete(members, m.From)
	}
}

func TestRaisedThresholdJoinsWhatIsNear(t *testing.T) {
	tree := mustNew(t, Config{Dim: 1, Threshold: 0.1})
	for _, x := range []float32{0, 1, 0, 9} {
		mustInsert(t, tree, []float32{x})
	}
	merges := mustSetThreshold(t, tree, 0.5)
	if len(merges) != 1 || merges[0] != (Merge{From: 2, To: 1}) {
		t.Errorf("the merges are %v, want 2 into 1", merges)
	}
}

func TestSetThresholdIsState(t *testing.T) {
	for _, threshold := range []float64{0.1, 0.9} {
		tree := mustNew(t, Config{Dim: 2, Threshold: 0.5, Criterion: Cosine})
		mustInsert(t, tree, []float32{1, 2})
		mustSetThreshold(t, tree, threshold)
		again, err := Decode(encoded(t, tree))
		if err != nil || again.Threshold() != threshold || again.Config() != tree.Config() {
			t.Errorf("decoded with the threshold %g, error %v, want %g", again.Threshold(), err, threshold)
		}
	}
}

func TestBadThresholdsLeaveTheTreeAsItWas(t *testing.T) {
	tree := mustNew(t, Config{Dim: 2, Threshold: 0.5, Criterion: Cosine})
	mustInsert(t, tree, []float32{1, 2})
	before := encoded(t, tree)
	for _, threshold := range []float64{-0.1, math.NaN(), math.Inf(1), 1.5} {
		if _, err := tree.SetThreshold(threshold); err == nil {
			t.Errorf("a threshold of %g passes", threshold)
		}
		if !bytes.Equal(encoded(t, tree), before) {
			t.Errorf("a threshold of %g changed the tree", threshold)
		}
	}
}
