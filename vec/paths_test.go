package vec

// A path is one implementation of the kernels.
type path struct {
	name      string
	dot       func(a, b []float32) float32
	dotRows   func(dst, rows, x []float32)
	dotPanel  func(dst, rows, xs []float32, count, stride int)
	addScaled func(dst, x []float32, a float32)
	moveMean  func(mean []float64, row []float32, x []float64, w float64, sums *[2 * block]float64)
}

// paths are the implementations that this CPU can run.
var paths = []path{
	{"plain", dotGeneric, dotRowsGeneric, dotPanelGeneric, addScaledGeneric, moveMeanGeneric},
	{"chosen", dot, dotRows, dotPanel, addScaled, moveMean},
}
