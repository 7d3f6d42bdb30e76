package train

import (
	"math"
	"slices"
)

func (d dense) clone() dense { return dense{slices.Clone(d.values), d.width} }

// weighed returns d times the square root of w.
func (d dense) weighed(w float64) dense {
	out := newDense(d.rows(), d.width)
	addScaled(out.values, d.values, float32(math.Sqrt(w)))
	return out
}

// addColumns adds sign times column k of other, times by[k], for every k.
func (d dense) addColumns(other dense, by []float32, sign float32) {
	eachChunk(d.rows(), func(_, from, to int) {
		for i := from; i < to; i++ {
			row := d.row(i)
			for k, x := range other.row(i) {
				row[k] += float32(float32(sign*by[k]) * x)
			}
		}
	})
}

// plusColumns returns d plus column k of other, times by[k], for every k.
func (d dense) plusColumns(other dense, by []float32) dense {
	sum := d.clone()
	sum.addColumns(other, by, 1)
	return sum
}

// scaled multiplies row i with by(i).
func (d dense) scaled(by func(i int, row []float32) float64) {
	eachChunk(d.rows(), func(_, from, to int) {
		for i := from; i < to; i++ {
			row := d.row(i)
			w := by(i, row)
			for k, x := range row {
				row[k] = float32(float64(x) * w)
			}
		}
	})
}

// length returns the Euclidean length of row.
func length(row []float32) float64 {
	sum := 0.0
	for _, x := range row {
		sum += float64(x) * float64(x)
	}
	return math.Sqrt(sum)
}
