package birch

import "math"

// Compared returns what Insert knows of the vector it was given last, so that nobody
// need compute it again: its dot products with the means of the leaf entries, in the
// order of Entries, as they were before it was placed; nothing where it was not
// compared with all of them. They are rough: see [Tree.DotBound]. They are valid
// until the tree changes.
func (t *Tree) Compared() []float32 { return t.scratch.dots }

// Weight returns the weight N of the leaf entry at a place, from 0, in the order of
// Entries.
func (t *Tree) Weight(place int) float64 { return t.entries.moments[place].n }

// DotBound bounds the error of a float32 dot product, however it is summed up, of x,
// a row of Config.Dim values, and any leaf entry's mean.
func (t *Tree) DotBound(x []float32) float64 {
	most := 0.0
	for slot := range t.entries.moments {
		most = max(most, t.entries.moments[slot].norm)
	}
	norm2 := 0.0
	for _, v := range x {
		norm2 += float64(v) * float64(v)
	}
	norm := math.Sqrt(norm2)
	return t.measure.relative*norm*most + t.measure.absolute*(1+norm+most)
}
