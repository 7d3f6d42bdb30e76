package kernel

import "math"

func geluGeneric(c []float32, ldc, rows int) { activateGeneric(c, ldc, rows, gelu) }

func geluTanhGeneric(c []float32, ldc, rows int) { activateGeneric(c, ldc, rows, geluTanh) }

func reluGeneric(c []float32, ldc, rows int) {
	activateGeneric(c, ldc, rows, func(x float32) float32 { return max(x, 0) })
}

func activateGeneric(c []float32, ldc, rows int, activation func(float32) float32) {
	for r := range rows {
		row := c[r*ldc:][:genericCols]
		for n, x := range row {
			row[n] = activation(x)
		}
	}
}

func gelu(x float32) float32 {
	z := float64(x)
	return float32(z / 2 * (1 + math.Erf(z/math.Sqrt2)))
}

func geluTanh(x float32) float32 {
	z := float64(x)
	return float32(z / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(z+0.044715*z*z*z))))
}

// bfloat16 returns x rounded to nearest, ties to even.
func bfloat16(x float32) uint16 {
	b := math.Float32bits(x)
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}

func toBFloat16(dst []uint16, src []float32) {
	for i, x := range src {
		dst[i] = bfloat16(x)
	}
}

func roundGeneric(dst, src []float32) {
	for i, x := range src {
		dst[i] = widen(bfloat16(x))
	}
	clear(dst[len(src):])
}

func quantiseGeneric(dst []int16, src []float32) step {
	s, inverse := stepOver(extentGeneric(src, 0, 0))
	toSteps(dst, src, inverse, s.zero)
	return s
}

// extentGeneric widens the range from low to high by x.
func extentGeneric(x []float32, low, high float32) (float32, float32) {
	for _, v := range x {
		low, high = min(low, v), max(high, v)
	}
	return low, high
}

// stepOver returns the step of a row with values from low <= 0 to high >= 0,
// and its inverse: the range maps to 0..255 such that zero stays exact. A row
// with no range to speak of becomes zero.
func stepOver(low, high float32) (s step, inverse float32) {
	span := high - low
	if !(span > 1e-30) {
		return step{}, 0
	}
	inverse = 255 / span
	return step{scale: span / 255, zero: float32(math.RoundToEven(float64(-low * inverse)))}, inverse
}

// toSteps quantises src and fills dst up with zeros. Product and sum are rounded
// one after the other, as in the assembly.
func toSteps[E uint8 | int16](dst []E, src []float32, inverse, zero float32) {
	for i, x := range src {
		q := math.RoundToEven(float64(float32(x*inverse) + zero))
		dst[i] = E(min(max(q, 0), 255))
	}
	clear(dst[len(src):])
}

func transposeGeneric(dst, src []float32, ld, rows, k, cols int) {
	for n := range rows {
		for i, x := range src[n*ld:][:k] {
			dst[i*cols+n] = x
		}
	}
}

func gatherGeneric(dst, src []float32, ld, rows int) {
	copyRows(dst, src, genericCols, ld, rows, genericCols)
}

func softmaxGeneric(x []float32, rows int, scale float32) {
	for n := range genericCols {
		top, sum := x[n], float32(0)
		for r := range rows {
			top = max(top, x[r*genericCols+n])
		}
		for r := range rows {
			e := float32(math.Exp(float64((x[r*genericCols+n] - top) * scale)))
			x[r*genericCols+n] = e
			sum += e
		}
		for r := range rows {
			x[r*genericCols+n] /= sum
		}
	}
}

func layerNormGeneric(rows, gamma, beta []float32, eps float32) {
	n := len(gamma)
	for ; len(rows) > 0; rows = rows[n:] {
		row := rows[:n]
		var sum, squares float64
		for _, x := range row {
			sum += float64(x)
		}
		mean := sum / float64(n)
		for _, x := range row {
			d := float64(x) - mean
			squares += d * d
		}
		scale := 1 / math.Sqrt(squares/float64(n)+float64(eps))
		for i, x := range row {
			row[i] = float32((float64(x)-mean)*scale)*gamma[i] + beta[i]
		}
	}
}
