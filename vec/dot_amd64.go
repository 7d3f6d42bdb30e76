//go:build !purego

package vec

import "golang.org/x/sys/cpu"

// The instruction sets of this CPU. The calls below are direct, not through
// function values, so that their arguments need not move to the heap.
var (
	hasAVX512 = cpu.X86.HasAVX512F
	hasAVX2   = cpu.X86.HasAVX2 && cpu.X86.HasFMA
)

func dot(a, b []float32) float32 {
	switch {
	case hasAVX512:
		return dotAVX512(a, b)
	case hasAVX2:
		return dotAVX2(a, b)
	default:
		return dotGeneric(a, b)
	}
}

func dotRows(dst, rows, x []float32) {
	switch {
	case hasAVX512:
		dotRowsAVX512(dst, rows, x)
	case hasAVX2:
		dotRowsAVX2(dst, rows, x)
	default:
		dotRowsGeneric(dst, rows, x)
	}
}

func dotPanel(dst, rows, xs []float32, count, stride int) {
	switch {
	case hasAVX512:
		dotPanelAVX512(dst, rows, xs, count, stride)
	case hasAVX2:
		dotPanelAVX2(dst, rows, xs, count, stride)
	default:
		dotPanelGeneric(dst, rows, xs, count, stride)
	}
}

func addScaled(dst, x []float32, a float32) {
	switch {
	case hasAVX512:
		addScaledAVX512(dst, x, a)
	case hasAVX2:
		addScaledAVX2(dst, x, a)
	default:
		addScaledGeneric(dst, x, a)
	}
}

// moveMean adds to sums; the assembly sets them, so sums must come in zero.
func moveMean(mean []float64, row []float32, x []float64, w float64, sums *[2 * block]float64) {
	switch {
	case hasAVX512:
		moveMeanAVX512(mean, row, x, w, sums)
	case hasAVX2:
		moveMeanAVX2(mean, row, x, w, sums)
	default:
		moveMeanGeneric(mean, row, x, w, sums)
	}
}
