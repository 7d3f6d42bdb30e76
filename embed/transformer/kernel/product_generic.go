package kernel

import "math"

// The inner loops in plain Go: what other architectures run, and what the
// assembly is tested against. A tile is two rows by four columns, so that its
// sums stay in registers; a missing second row is the first one computed again,
// which keeps the order of the sums.

const (
	genericRows = 2
	genericCols = 4
)

// tileRows returns the two rows of activations that a tile works on.
func tileRows[E any](a []E, lda, rows int) (a0, a1 []E) {
	if rows < 2 {
		return a, a
	}
	return a, a[lda:]
}

// storeTile writes sums with bias and residual added.
func storeTile(c []float32, ldc, rows int, sums [genericRows][genericCols]float32, bias, residual []float32) {
	for r := range rows {
		for n, x := range sums[r] {
			x += bias[n]
			if residual != nil {
				x += residual[r*ldc+n]
			}
			c[r*ldc+n] = x
		}
	}
}

func productGeneric(c []float32, ldc int, a []float32, lda, step int, b []float32, k, rows int, bias, residual []float32) {
	a0, a1 := tileRows(a, lda, rows)
	var s00, s01, s02, s03, s10, s11, s12, s13 float32
	for i := range k {
		x, y, w := a0[i*step], a1[i*step], (*[4]float32)(b[4*i:])
		s00 += x * w[0]
		s01 += x * w[1]
		s02 += x * w[2]
		s03 += x * w[3]
		s10 += y * w[0]
		s11 += y * w[1]
		s12 += y * w[2]
		s13 += y * w[3]
	}
	storeTile(c, ldc, rows, [2][4]float32{{s00, s01, s02, s03}, {s10, s11, s12, s13}}, bias, residual)
}

func productBF16Generic(c []float32, ldc int, a []float32, lda int, b []uint16, k, rows int, bias, residual []float32) {
	a0, a1 := tileRows(a, lda, rows)
	var s00, s01, s02, s03, s10, s11, s12, s13 float32
	for i, x := range a0[:k] {
		y, w := a1[i], (*[4]uint16)(b[4*i:])
		w0, w1, w2, w3 := widen(w[0]), widen(w[1]), widen(w[2]), widen(w[3])
		s00 += x * w0
		s01 += x * w1
		s02 += x * w2
		s03 += x * w3
		s10 += y * w0
		s11 += y * w1
		s12 += y * w2
		s13 += y * w3
	}
	storeTile(c, ldc, rows, [2][4]float32{{s00, s01, s02, s03}, {s10, s11, s12, s13}}, bias, residual)
}

// widen returns the value of a bfloat16.
func widen(x uint16) float32 { return math.Float32frombits(uint32(x) << 16) }

func productInt8Generic(c []float32, ldc int, a []int16, lda int, b []int8, k, rows int, steps, columns, bias, residual []float32) {
	a0, a1 := tileRows(a, lda, rows)
	var s0, s1 [4]int32
	for i := range k {
		x0, x1 := int32(a0[2*i]), int32(a0[2*i+1])
		y0, y1 := int32(a1[2*i]), int32(a1[2*i+1])
		w := (*[8]int8)(b[8*i:])
		for n := range 4 {
			w0, w1 := int32(w[2*n]), int32(w[2*n+1])
			s0[n] += x0*w0 + x1*w1
			s1[n] += y0*w0 + y1*w1
		}
	}
	var sums [2][4]float32
	last := steps[2*min(rows, 2)-2:]
	for n := range 4 {
		sums[0][n] = dequantise(s0[n], steps[0], steps[1], columns[n], columns[4+n])
		sums[1][n] = dequantise(s1[n], last[0], last[1], columns[n], columns[4+n])
	}
	storeTile(c, ldc, rows, sums, bias, residual)
}

// dequantise returns the product that a sum of quantised products stands for.
// It rounds where the assembly does: a float64 holds the difference exactly.
func dequantise(sum int32, scale, zero, columnSum, columnScale float32) float32 {
	difference := float32(float64(float32(sum)) - float64(zero)*float64(columnSum))
	return float32(difference*scale) * columnScale
}
