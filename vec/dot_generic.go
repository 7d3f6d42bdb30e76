package vec

// The kernels in plain Go: what other architectures run, and what the assembly
// is tested against.

// dotGeneric keeps eight sums so that their additions overlap.
func dotGeneric(a, b []float32) float32 {
	var s0, s1, s2, s3, s4, s5, s6, s7 float32
	for len(a) >= 8 && len(b) >= 8 {
		x, y := (*[8]float32)(a), (*[8]float32)(b)
		s0 += x[0] * y[0]
		s1 += x[1] * y[1]
		s2 += x[2] * y[2]
		s3 += x[3] * y[3]
		s4 += x[4] * y[4]
		s5 += x[5] * y[5]
		s6 += x[6] * y[6]
		s7 += x[7] * y[7]
		a, b = a[8:], b[8:]
	}
	for i := range a {
		s0 += a[i] * b[i]
	}
	return ((s0 + s4) + (s2 + s6)) + ((s1 + s5) + (s3 + s7))
}

func dotRowsGeneric(dst, rows, x []float32) {
	for i := range dst {
		dst[i] = dotGeneric(rows[i*len(x):(i+1)*len(x)], x)
	}
}

// dotPanelGeneric sets dst[i*stride+j] to the dot product of vector i of xs, which
// holds panel vectors, and row j of count rows.
func dotPanelGeneric(dst, rows, xs []float32, count, stride int) {
	dim := len(xs) / panel
	for i := range panel {
		dotRowsGeneric(dst[i*stride:i*stride+count], rows, xs[i*dim:(i+1)*dim])
	}
}

func addScaledGeneric(dst, x []float32, a float32) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] += a * x[i]
	}
}
