package kernel

import "fmt"

// An Epilogue is what happens to a product while it is still in the cache.
type Epilogue struct {
	Activation Activation
	// Residual is added after the activation; it has the shape of dst and may
	// be dst itself. Nil adds nothing.
	Residual []float32
}

// blockBytes is the size of the block of packed activations that stays in the
// second-level cache while all weights pass by.
const blockBytes = 256 << 10

// Multiply sets dst, rows x Out values, to the epilogue of src, rows x In
// values, times the transposed weights plus the bias. dst and src must not
// overlap.
func (m *Matrix) Multiply(dst, src []float32, rows int, e Epilogue, s *Scratch) {
	if len(src) != rows*m.in || len(dst) != rows*m.out || e.Residual != nil && len(e.Residual) != len(dst) {
		panic(fmt.Sprintf("kernel: %d rows of a %dx%d layer from %d values to %d, residual %d",
			rows, m.out, m.in, len(src), len(dst), len(e.Residual)))
	}
	lda := m.stride()
	block := max(blockBytes/(lda*4/m.group)/m.loops.rows, 1) * m.loops.rows
	s.grow(m, min(block, rows), lda)
	for r := 0; r < rows; r += block {
		n := min(block, rows-r)
		m.packRows(s, src[r*m.in:(r+n)*m.in], lda)
		residual := e.Residual
		if residual != nil {
			residual = residual[r*m.out : (r+n)*m.out]
		}
		m.multiplyBlock(dst[r*m.out:(r+n)*m.out], residual, n, lda, e.Activation, s)
	}
}

// stride is the distance of packed rows in elements: an odd number of cache
// lines, so that the rows of a tile do not compete for the same cache sets.
func (m *Matrix) stride() int {
	line := 16 * m.group // elements: a group takes four bytes
	return ((m.k*m.group+line-1)/line | 1) * line
}

// packRows converts activations to the format of the product.
func (m *Matrix) packRows(s *Scratch, src []float32, lda int) {
	width := m.k * m.group
	for r := 0; len(src) > 0; r++ {
		row, at := src[:m.in], r*lda
		switch {
		case m.dtype == F32:
			copy(s.f32[at:], row)
		case m.dtype == BF16 && m.group == 1:
			m.loops.roundWide(s.f32[at:at+width], row)
		case m.dtype == BF16:
			m.loops.round(s.u16[at:at+width], row)
		case m.group == 2:
			s.setStep(r, m.loops.quantiseWide(s.i16[at:at+width], row))
		default:
			s.setStep(r, m.loops.quantise(s.u8[at:at+width], row))
		}
		src = src[m.in:]
	}
}

// multiplyBlock multiplies packed rows with all weights, panel by panel.
func (m *Matrix) multiplyBlock(dst, residual []float32, rows, lda int, a Activation, s *Scratch) {
	cols, finish := m.loops.cols, m.loops.finish[a]
	for p := range m.panels() {
		n := p * cols
		bias := m.bias[n : n+cols]
		for r := 0; r < rows; r += m.loops.rows {
			height := min(m.loops.rows, rows-r)
			m.tile(s, p, r, height, lda)
			at := r*m.out + n
			switch {
			case n+cols > m.out:
				s.finishPart(finish, dst, residual, at, m.out, bias, height, m.out-n)
			case residual == nil:
				finish(dst[at:], nil, m.out, s.tile, bias, height)
			default:
				finish(dst[at:], residual[at:], m.out, s.tile, bias, height)
			}
		}
	}
}

// finishPart finishes a tile of which only some columns exist, by way of a
// whole one.
func (s *Scratch) finishPart(finish finish, dst, residual []float32, at, ld int, bias []float32, rows, cols int) {
	whole := len(bias)
	if residual == nil {
		finish(s.part, nil, whole, s.tile, bias, rows)
	} else {
		copyRows(s.part, residual[at:], whole, ld, rows, cols)
		finish(s.part, s.part, whole, s.tile, bias, rows)
	}
	copyRows(dst[at:], s.part, ld, whole, rows, cols)
}

// copyRows copies rows of cols values between matrices whose rows are dstLD
// and srcLD apart.
func copyRows(dst, src []float32, dstLD, srcLD, rows, cols int) {
	for r := range rows {
		copy(dst[r*dstLD:][:cols], src[r*srcLD:])
	}
}

// tile multiplies packed rows from row on with one panel, into s.tile.
func (m *Matrix) tile(s *Scratch, panel, row, rows, lda int) {
	l, from, to, at := m.loops, panel*m.panel(), (panel+1)*m.panel(), row*lda
	switch {
	case m.dtype == F32:
		l.f32(s.tile, l.cols, s.f32[at:], lda, 1, m.f32[from:to], m.k, rows)
	case m.dtype == BF16 && m.group == 1:
		l.bf16Wide(s.tile, l.cols, s.f32[at:], lda, m.bf16[from:to], m.k, rows)
	case m.dtype == BF16:
		l.bf16(s.tile, l.cols, s.u16[at:], lda, m.bf16[from:to], m.k, rows)
	case m.group == 2:
		l.int8Wide(s.tile, l.cols, s.i16[at:], lda, m.int8[from:to], m.k, rows, s.steps[2*row:], m.columns[2*panel*l.cols:])
	default:
		l.int8(s.tile, l.cols, s.u8[at:], lda, m.int8[from:to], m.k, rows, s.steps[2*row:], m.columns[2*panel*l.cols:])
	}
}

// A Scratch holds the intermediate values of one worker. The zero Scratch is
// ready to use; it grows to the largest input it sees. It must not be used by
// two goroutines at once.
type Scratch struct {
	f32   []float32 // packed activations, in the format of the product
	u16   []uint16
	i16   []int16
	u8    []uint8
	steps []float32 // scale and zero of each quantised row
	tile  []float32 // a product
	part  []float32 // a result of which only some columns exist

	queries, values, scores []float32 // of one attention head
}

// setStep notes what the values of a quantised row stand for.
func (s *Scratch) setStep(row int, x step) { s.steps[2*row], s.steps[2*row+1] = x.scale, x.zero }

// grow makes room for a block of packed rows.
func (s *Scratch) grow(m *Matrix, rows, lda int) {
	switch {
	case m.dtype == F32 || m.dtype == BF16 && m.group == 1:
		s.f32 = grown(s.f32, rows*lda)
	case m.dtype == BF16:
		s.u16 = grown(s.u16, rows*lda)
	case m.group == 2:
		s.i16 = grown(s.i16, rows*lda)
	default:
		s.u8 = grown(s.u8, rows*lda)
	}
	s.steps = grown(s.steps, 2*rows)
	s.tile = grown(s.tile, m.loops.rows*m.loops.cols)
	s.part = grown(s.part, m.loops.rows*m.loops.cols)
}

// grown returns x with a length of at least n.
func grown[E any](x []E, n int) []E {
	if n > len(x) {
		return make([]E, n)
	}
	return x
}
