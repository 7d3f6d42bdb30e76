package kernel

import (
	"fmt"
	"math"

	"starling/vec"
)

// LayerNorm replaces each row of len(gamma) values by
// (x-mean)/sqrt(variance+eps)*gamma + beta (Ba, Kiros and Hinton 2016).
func (p Path) LayerNorm(rows, gamma, beta []float32, eps float32) {
	if len(gamma) == 0 || len(beta) != len(gamma) || len(rows)%len(gamma) != 0 {
		panic(fmt.Sprintf("kernel: normalising %d values by %d gammas and %d betas", len(rows), len(gamma), len(beta)))
	}
	p.loops().layerNorm(rows, gamma, beta, eps)
}

// SumRows sets dst to the sum of the rows, len(dst) values each, as mean
// pooling needs it.
func SumRows(dst, rows []float32) {
	if len(dst) == 0 || len(rows)%len(dst) != 0 {
		panic(fmt.Sprintf("kernel: %d values are not rows of %d", len(rows), len(dst)))
	}
	clear(dst)
	for ; len(rows) > 0; rows = rows[len(dst):] {
		vec.AddScaled(dst, rows[:len(dst)], 1)
	}
}

// Normalise scales x to length 1. A zero vector stays zero.
func Normalise(x []float32) {
	norm := math.Sqrt(float64(vec.Dot(x, x)))
	if norm == 0 {
		return
	}
	for i, v := range x {
		x[i] = float32(float64(v) / norm)
	}
}
