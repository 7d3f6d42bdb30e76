//go:build !purego

package kernel

// The assembly takes whole vectors. What is over, and shapes that real models
// do not have, is left to plain Go here.

func roundWide(dst, src []float32) {
	n := len(src) &^ 7
	roundWideAVX2(dst, src[:n])
	roundGeneric(dst[n:], src[n:])
}

func round(dst []uint16, src []float32) {
	n := len(src) &^ 15
	roundAVX512(dst, src[:n])
	toBFloat16(dst[n:], src[n:])
	clear(dst[len(src):])
}

func quantiseWide(dst []int16, src []float32) step {
	n := len(src) &^ 7
	low, high := extentAVX2(src[:n])
	s, inverse := stepOver(extentGeneric(src[n:], low, high))
	quantiseWideAVX2(dst, src[:n], inverse, s.zero)
	toSteps(dst[n:], src[n:], inverse, s.zero)
	return s
}

func quantise(dst []uint8, src []float32) step {
	n := len(src) &^ 15
	low, high := extentAVX512(src[:n])
	s, inverse := stepOver(extentGeneric(src[n:], low, high))
	if n = len(src) &^ 63; n > 0 {
		quantiseAVX512(dst, src[:n], inverse, s.zero)
	}
	toSteps(dst[n:], src[n:], inverse, s.zero)
	return s
}

// wholeTranspose returns transpose for heads of whole vectors and plain Go for
// others.
func wholeTranspose(transpose func(dst, src []float32, ld, rows, k int), lanes int) func(dst, src []float32, ld, rows, k int) {
	return func(dst, src []float32, ld, rows, k int) {
		if k%lanes == 0 {
			transpose(dst, src, ld, rows, k)
		} else {
			transposeGeneric(dst, src, ld, rows, k, 2*lanes)
		}
	}
}

// wholeNorm returns norm for rows of whole vectors and plain Go for others.
func wholeNorm(norm func(rows, gamma, beta []float32, eps float32), lanes int) func(rows, gamma, beta []float32, eps float32) {
	return func(rows, gamma, beta []float32, eps float32) {
		if len(gamma)%lanes == 0 {
			norm(rows, gamma, beta, eps)
		} else {
			layerNormGeneric(rows, gamma, beta, eps)
		}
	}
}
