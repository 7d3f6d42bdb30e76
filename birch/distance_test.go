package birch

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"starling/vec"
)

// The distances and the diameter, computed from features, are what the paper defines
// over all pairs of vectors.
func TestDistancesAreThoseOfAllPairs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dim := rapid.IntRange(1, 5).Draw(t, "dim")
		offset := rapid.SampledFrom([]float32{0, 1e4}).Draw(t, "offset")
		xs, ys := drawGroup(t, dim, offset), drawGroup(t, dim, offset)
		a, b := sumUp(xs), sumUp(ys)
		for distance, want := range map[Distance]float64{
			D0: vec.Distance64(a.mean, b.mean),
			D1: manhattan(a.mean, b.mean),
			D2: meanSquare(xs, ys),
			D3: meanSquareWithin(append(xs[:len(xs):len(xs)], ys...)),
			D4: sumUp(append(xs[:len(xs):len(xs)], ys...)).s - a.s - b.s,
		} {
			m := newMeasure(Config{Dim: dim, Distance: distance})
			if got := m.exact(&a, &b); math.Abs(got-want) > 1e-6*(1+want) {
				t.Fatalf("%v is %g, by all pairs %g", distance, got, want)
			}
		}
	})
}

func drawGroup(t *rapid.T, dim int, offset float32) [][]float32 {
	value := rapid.Map(rapid.Float32Range(-3, 3), func(v float32) float32 { return v + offset })
	return rapid.SliceOfN(rapid.SliceOfN(value, dim, dim), 1, 6).Draw(t, "group")
}

// meanSquare returns the mean squared distance of a vector of xs and one of ys.
func meanSquare(xs, ys [][]float32) (mean float64) {
	for _, x := range xs {
		for _, y := range ys {
			mean += square(x, y) / float64(len(xs)*len(ys))
		}
	}
	return mean
}

// meanSquareWithin returns the mean squared distance of two different vectors of xs.
func meanSquareWithin(xs [][]float32) float64 {
	n := float64(len(xs))
	return meanSquare(xs, xs) * n / (n - 1)
}

func square(x, y []float32) (sum float64) {
	for i := range x {
		d := float64(x[i]) - float64(y[i])
		sum += d * d
	}
	return sum
}

// The bounds around a rough dissimilarity hold.
func TestRoughIsWithinItsBound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawConfig(t)
		tree := mustNew(t, c)
		for _, x := range drawVectors(t, c.Dim) {
			mustInsert(t, tree, x)
		}
		m, last := tree.measure, tree.entries.at(int32(tree.Len()-1))
		for slot := range tree.entries.ids {
			entry := tree.entries.at(int32(slot))
			d, bound := m.rough(vec.Dot(last.row, entry.row), &last.moments, &entry.moments)
			if exact := m.exact(&last, &entry); exact < d-bound || exact > d+bound {
				t.Fatalf("%v, %v: %g is not within %g of %g", c.Criterion, c.Distance, exact, bound, d)
			}
		}
	})
}

// measures are all there are.
func measures() []Config {
	cs := []Config{{Criterion: Cosine}}
	for _, criterion := range []Criterion{Radius, Diameter} {
		for distance := D0; distance <= D4; distance++ {
			cs = append(cs, Config{Criterion: criterion, Distance: distance})
		}
	}
	return cs
}

func TestScanTakesTheNearest(t *testing.T) {
	for _, c := range measures() {
		c.Dim, c.ScanLimit, c.Threshold = 16, 5000, 0.05
		t.Run(fmt.Sprint(c.Criterion, c.Distance), func(t *testing.T) {
			tree := mustNew(t, c)
			x := make([]float32, c.Dim)
			for p := range 500 {
				grouped(x, p, 50)
				f, err := tree.vector(x, make([]float64, c.Dim))
				if err != nil {
					t.Fatal(err)
				}
				if tree.Len() > 0 {
					slot, want := tree.scan(&f), nearestByDefinition(tree, &f)
					if slot != want {
						t.Fatalf("vector %d: the scan takes slot %d, the nearest is %d", p, slot, want)
					}
				}
				mustInsert(t, tree, x)
			}
		})
	}
}

func nearestByDefinition(tree *Tree, x *feature) (nearest int32) {
	least := math.Inf(1)
	for slot := range tree.entries.ids {
		entry := tree.entries.at(int32(slot))
		if d := tree.measure.exact(x, &entry); d < least {
			least, nearest = d, int32(slot)
		}
	}
	return nearest
}

// Vectors that come again and again make one entry each, without variance, at a
// threshold of 0 and by every measure.
func TestDuplicatesHaveNoVariance(t *testing.T) {
	for _, c := range measures() {
		for _, minCosine := range []float64{0, 1} {
			c.Dim, c.ScanLimit, c.MinCosine = 3, 100, minCosine
			tree := mustNew(t, c)
			for p := range 700 {
				v := float32(p % 7)
				mustInsert(t, tree, []float32{1e3 + v, 1e-3 * v, v * v})
			}
			checkInvariants(t, tree)
			if tree.Len() != 7 {
				t.Errorf("%v, %v: %d entries, want 7", c.Criterion, c.Distance, tree.Len())
			}
			for e := range tree.Entries() {
				if e.N != 100 || e.S != 0 {
					t.Errorf("%v, %v: an entry is %+v, want 100 equal vectors", c.Criterion, c.Distance, e)
				}
			}
		}
	}
}

// scikit-learn issue 27819: the radius of a heavy entry hardly grows by one vector,
// however far off that is.
func TestGuardKeepsFarVectorsOutOfHeavyEntries(t *testing.T) {
	for _, c := range []struct {
		minCosine float64
		entries   int
	}{{0, 1}, {0.3, 2}} {
		tree := mustNew(t, Config{Dim: 2, Threshold: 0.5, MinCosine: c.minCosine})
		for range 1000 {
			mustInsert(t, tree, []float32{1, 0})
		}
		mustInsert(t, tree, []float32{-1, 0})
		mustInsert(t, tree, []float32{0.9, 0.1})
		if tree.Len() != c.entries {
			t.Errorf("guard %g: %d entries, want %d", c.minCosine, tree.Len(), c.entries)
		}
		if e, _ := tree.Entry(1); c.entries == 2 && e.N != 1001 {
			t.Errorf("guard %g: the heavy entry is %+v, want 1001 vectors", c.minCosine, e)
		}
	}
}

// Vectors without a common direction can fill a tree; the guard does not keep the
// rebuild from making room, and zero vectors are equal.
func TestGuardLeavesRoom(t *testing.T) {
	tree := mustNew(t, Config{Dim: 64, Threshold: 0.1, MinCosine: 0.9, MaxEntries: 16})
	for p := range 128 {
		x := make([]float32, 64)
		mustInsert(t, tree, x)
		x[p%64] = 1
		mustInsert(t, tree, x)
		checkInvariants(t, tree)
	}
	if n := whole(tree).n; n != 256 {
		t.Errorf("the tree sums up %g vectors, want 256", n)
	}
}

func TestDiameterOfFewVectors(t *testing.T) {
	for _, c := range []struct{ n, s, want float64 }{
		{1, 0, 0},        // one vector
		{2, 0.5, 1},      // two vectors 1 apart
		{3, 2, 2},        // 0, 1, 2: (1+1+4)/3
		{1, 0.25, 1},     // two vectors 1 apart, of half the weight
		{0.02, 0.005, 1}, // and of a hundredth
	} {
		if got := diameter2(c.n, c.s); got != c.want {
			t.Errorf("the squared diameter of n=%g, S=%g is %g, want %g", c.n, c.s, got, c.want)
		}
	}
}
