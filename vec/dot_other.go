//go:build !amd64 || purego

package vec

func dot(a, b []float32) float32 { return dotGeneric(a, b) }

func dotRows(dst, rows, x []float32) { dotRowsGeneric(dst, rows, x) }

func dotPanel(dst, rows, xs []float32, count, stride int) {
	dotPanelGeneric(dst, rows, xs, count, stride)
}

func addScaled(dst, x []float32, a float32) { addScaledGeneric(dst, x, a) }

func moveMean(mean []float64, row []float32, x []float64, w float64, sums *[2 * block]float64) {
	moveMeanGeneric(mean, row, x, w, sums)
}
