package birch

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"starling/vec"
)

// What Insert knows of a vector is what comparing it anew gives, within the bound.
func TestComparedIsWithinItsBound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawConfig(t)
		c.ScanLimit = math.MaxInt32
		xs := drawVectors(t, c.Dim)
		tree := mustNew(t, c)
		for i, x := range xs {
			if i%5 == 0 {
				tree.Expect(xs[i:])
			}
			in := mustInsert(t, tree, x)
			if !in.Created || tree.spill.len() > 0 {
				continue // what was compared has changed since
			}
			dots, bound := tree.Compared(), tree.DotBound(x)
			if len(dots) != tree.Len()-1 {
				t.Fatalf("%d dot products with the %d entries before", len(dots), tree.Len()-1)
			}
			wide := make([]float64, c.Dim)
			for j, v := range x {
				wide[j] = float64(v)
			}
			for slot, dot := range dots {
				if exact := vec.Dot64(tree.entries.mean(int32(slot)), wide); math.Abs(float64(dot)-exact) > bound {
					t.Fatalf("entry %d: %v is not within %v of %v", slot, dot, bound, exact)
				}
			}
		}
	})
}
