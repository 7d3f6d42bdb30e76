package birch

import (
	"fmt"
	"math"
	"testing"
)

func TestRebuildsKeepTheBoundAndAreRare(t *testing.T) {
	const dim, points, most = 64, 20_000, 200
	for _, c := range []Config{
		{Criterion: Radius},
		{Criterion: Radius, Threshold: 0.1},
		{Criterion: Radius, ScanLimit: most},
		{Criterion: Cosine},
		{Criterion: Cosine, Threshold: 0.3, ScanLimit: most},
	} {
		t.Run(fmt.Sprintf("%v,T=%g,scan=%d", c.Criterion, c.Threshold, c.ScanLimit), func(t *testing.T) {
			t.Parallel()
			c.Dim, c.MaxEntries = dim, most
			tree := mustNew(t, c)
			x := make([]float32, dim)
			rebuilds, threshold := 0, c.Threshold
			for p := range points {
				grouped(x, p, 100)
				if in := mustInsert(t, tree, x); len(in.Merges) > 0 {
					rebuilds++
					checkInvariants(t, tree)
					if tree.Len() > most*3/4+1 {
						t.Errorf("a rebuild left %d of %d entries", tree.Len(), most)
					}
					if tree.Threshold() <= threshold {
						t.Errorf("a rebuild left the threshold at %g", threshold)
					}
					threshold = tree.Threshold()
				}
				if tree.Len() > most {
					t.Fatalf("%d entries, at most %d are allowed", tree.Len(), most)
				}
			}
			if rebuilds == 0 || rebuilds > 20 {
				t.Errorf("%d rebuilds in %d inserts", rebuilds, points)
			}
			if n := whole(tree).n; n != points {
				t.Errorf("the tree sums up %g vectors, want %d", n, points)
			}
		})
	}
}

// In many dimensions the distances of unrelated vectors are nearly the same; a
// threshold just too high joins all of them.
func TestRebuildDoesNotJoinEverything(t *testing.T) {
	for _, criterion := range []Criterion{Radius, Cosine} {
		tree := mustNew(t, Config{Dim: 256, Threshold: 0.5, Criterion: criterion, MaxEntries: 400})
		x := make([]float32, 256)
		for p := range 1200 {
			grouped(x, p, 1_000_000)
			mustInsert(t, tree, x)
			if p > 400 && tree.Len() < 100 {
				t.Fatalf("%v: %d entries left at vector %d, threshold %g", criterion, tree.Len(), p, tree.Threshold())
			}
		}
	}
}

func TestRebuildOfHardStreams(t *testing.T) {
	streams := map[string]func(i int) float32{
		"exponential": func(i int) float32 { return float32(math.Pow(-1.05, float64(i%800))) },
		"tiny":        func(i int) float32 { return float32(i+1) * 1e-40 },
		"line":        func(i int) float32 { return float32(i + 1) },
		"huge steps":  func(i int) float32 { return float32(i%3+1) * 1e16 * float32(i+1) / 1000 },
	}
	for name, value := range streams {
		for _, most := range []int{2, 3, 50} {
			for _, criterion := range []Criterion{Radius, Cosine} {
				tree := mustNew(t, Config{Dim: 2, Criterion: criterion, MaxEntries: most, Branching: 3})
				for i := range 1000 {
					mustInsert(t, tree, []float32{value(i), value(i * 7)})
				}
				checkInvariants(t, tree)
				if n := whole(tree).n; n != 1000 {
					t.Errorf("%s, %v: the tree sums up %g vectors, want 1000", name, criterion, n)
				}
			}
		}
	}
}
