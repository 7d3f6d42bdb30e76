package birch

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"starling/vec"
)

// A cutoff leaves out nothing that is within the limit, and, by the measures it is
// made for, everything that rough puts clearly beyond.
func TestCutoffAgreesWithRough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawConfig(t)
		tree := mustNew(t, c)
		xs := drawVectors(t, c.Dim)
		features := make([]feature, 2)
		for i := range features {
			var err error
			x := xs[rapid.IntRange(0, len(xs)-1).Draw(t, "vector")]
			if features[i], err = tree.vector(x, make([]float64, c.Dim)); err != nil {
				t.Fatal(err)
			}
		}
		a, b, m := &features[0], &features[1], tree.measure
		dot := vec.Dot(a.row, b.row)
		d, bound := m.rough(dot, &a.moments, &b.moments)
		exact := m.exact(a, b)
		limit := rapid.OneOf(
			rapid.SampledFrom([]float64{0, exact, d, d - bound, d + bound, math.Inf(1)}),
			rapid.Float64Range(0, 2),
		).Draw(t, "limit")
		out := m.cutoff(&a.moments, limit).leavesOut(dot, &b.moments)
		if out && exact <= limit {
			t.Fatalf("a dissimilarity of %g is left out by the limit %g", exact, limit)
		}
		if slack := 1e-9 * (1 + a.norm2 + b.norm2); !out && c.Distance == D0 && d-bound > limit+slack {
			t.Fatalf("a dissimilarity of at least %g is not left out by the limit %g", d-bound, limit)
		}
	})
}
