package kernel

// loops are the inner loops of a path.
//
// A product multiplies rows of activations, lda elements apart, with one panel
// of packed weights: c[r*ldc+n] is bias[n], plus residual[r*ldc+n] where residual
// is not nil, plus the sum over i < k of a[r*lda+i]*b[i*cols+n], for r < rows and
// every n < cols. Where elements go in groups (pairs of bfloat16, fours of bytes),
// k counts groups. The sum of a row is built in one order, whatever the number of
// rows. c and residual may be the same.
type loops struct {
	rows, cols int // of a register tile, the most that a product computes at once

	// f32 takes elements of a row that are step apart, the others adjacent ones.
	f32 func(c []float32, ldc int, a []float32, lda, step int, b []float32, k, rows int, bias, residual []float32)
	// bf16 takes pairs of bfloat16. bf16Wide takes activations that are
	// rounded but float32, and widens the weights. A path has one of them.
	bf16     func(c []float32, ldc int, a []uint16, lda int, b []uint16, k, rows int, bias, residual []float32)
	bf16Wide func(c []float32, ldc int, a []float32, lda int, b []uint16, k, rows int, bias, residual []float32)
	// int8 takes groups of four bytes, int8Wide pairs whose activations are
	// held as int16. A path has one of them. Both undo the quantisation of a
	// sum: (sum - row.zero*column.sum) * row.scale * column.scale. Scale and
	// zero of each row are in steps; columns has all sums of the panel, then
	// all scales.
	int8     func(c []float32, ldc int, a []uint8, lda int, b []int8, k, rows int, steps, columns, bias, residual []float32)
	int8Wide func(c []float32, ldc int, a []int16, lda int, b []int8, k, rows int, steps, columns, bias, residual []float32)

	// activate replaces the values of whole rows of a tile; nil leaves them.
	activate [activations]func(c []float32, ldc, rows int)

	// round, roundWide, quantise and quantiseWide write a row of activations
	// as the product reads it, filled up with zeros, and return what quantised
	// values stand for. A path has the ones that its products need.
	round        func(dst []uint16, src []float32)
	roundWide    func(dst, src []float32)
	quantise     func(dst []uint8, src []float32) step
	quantiseWide func(dst []int16, src []float32) step

	// transpose writes rows of k values, ld apart, as [k][cols]; gather writes
	// rows of cols values, ld apart, as [rows][cols]. What transpose writes for
	// rows that are missing is of no account.
	transpose func(dst, src []float32, ld, rows, k int)
	gather    func(dst, src []float32, ld, rows int)
	// softmax turns each column x of a rows x cols panel into exp(scale*x)
	// divided by its sum.
	softmax func(x []float32, rows int, scale float32)
	// layerNorm normalises each row, len(gamma) values long.
	layerNorm func(rows, gamma, beta []float32, eps float32)
}

// maxCols is the largest cols of any path.
const maxCols = 32

// A step says what the values q of a quantised row stand for: (q-zero)*scale.
type step struct{ scale, zero float32 }

var generic = loops{
	rows: genericRows, cols: genericCols,
	f32:          productGeneric,
	bf16Wide:     productBF16Generic,
	int8Wide:     productInt8Generic,
	activate:     [activations]func(c []float32, ldc, rows int){GELU: geluGeneric, GELUTanh: geluTanhGeneric, ReLU: reluGeneric},
	roundWide:    roundGeneric,
	quantiseWide: quantiseGeneric,
	transpose: func(dst, src []float32, ld, rows, k int) {
		transposeGeneric(dst, src, ld, rows, k, genericCols)
	},
	gather:    gatherGeneric,
	softmax:   softmaxGeneric,
	layerNorm: layerNormGeneric,
}
