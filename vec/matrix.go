package vec

import "fmt"

const (
	// panel is the number of vectors whose dot products with a row are taken at
	// once, so that each load of the row serves all of them.
	panel = 4
	// blockValues is how many values of rows, 16 KiB, all vectors pass over before
	// the next: they stay in the first-level cache.
	blockValues = 1 << 12
)

// DotMatrix sets dst[i*n+j] to the dot product of vector i of xs and row j of
// rows, n being the number of rows. Both hold vectors of dim values, at least 1,
// one after the other.
//
// It reads the rows once, so for many vectors it is several times faster than
// [DotRows] for each. The last bits of a result may differ from those of [Dot],
// and with the number of vectors and rows.
func DotMatrix(dst, rows, xs []float32, dim int) {
	if dim < 1 || len(rows)%dim != 0 || len(xs)%dim != 0 || len(dst) != len(rows)/dim*(len(xs)/dim) {
		panic(fmt.Sprintf("vec: %d values are not the dot products of %d and %d values in vectors of %d", len(dst), len(rows), len(xs), dim))
	}
	if len(dst) == 0 {
		return
	}
	n := len(rows) / dim
	for from, step := 0, blockRows(dim); from < n; from += step {
		to := min(from+step, n)
		dotBlock(dst[from:], rows[from*dim:to*dim], xs, dim, n)
	}
}

// blockRows is the number of rows of a block: whole tiles of the kernels.
func blockRows(dim int) int { return max(1, blockValues/dim/panel) * panel }

// dotBlock is DotMatrix for some of the rows, the results for each vector
// beginning stride after those for the one before. The last panel overlaps the one
// before it where the vectors do not fill it.
func dotBlock(dst, rows, xs []float32, dim, stride int) {
	count, vectors := len(rows)/dim, len(xs)/dim
	if vectors < panel {
		for i := range vectors {
			dotRows(dst[i*stride:i*stride+count], rows, xs[i*dim:(i+1)*dim])
		}
		return
	}
	for i := 0; i < vectors; i += panel {
		i := min(i, vectors-panel)
		dotPanel(dst[i*stride:], rows, xs[i*dim:(i+panel)*dim], count, stride)
	}
}
