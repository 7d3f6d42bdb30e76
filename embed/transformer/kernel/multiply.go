package kernel

import "fmt"

// An Epilogue is what happens to a product while it is still in the cache.
type Epilogue struct {
	// Residual is added to the product; it has the shape of dst and may be dst
	// itself. Nil adds nothing.
	Residual []float32
	// Activation is applied to the sum.
	Activation Activation
}

// blockBytes is the size of the block of packed activations that stays in the
// second-level cache while all weights pass by.
const blockBytes = 256 << 10

// Multiply sets dst, rows x Out values, to src, rows x In values, times the
// transposed weights, plus the bias, followed by the epilogue. dst and src must
// not overlap.
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
	l := m.loops
	for p := range m.panels() {
		cols := min(l.cols, m.out-p*l.cols)
		for r := 0; r < rows; r += l.rows {
			height, at := min(l.rows, rows-r), r*m.out+p*l.cols
			var rest []float32
			if residual != nil {
				rest = residual[at:]
			}
			if cols == l.cols {
				m.tile(dst[at:], m.out, rest, s, p, r, height, lda, a)
			} else {
				m.narrowTile(dst[at:], rest, s, p, r, height, lda, a, cols)
			}
		}
	}
}

// narrowTile is tile for a panel of which only some columns exist: it takes a
// detour through a whole one.
func (m *Matrix) narrowTile(dst, residual []float32, s *Scratch, panel, row, rows, lda int, a Activation, cols int) {
	whole := m.loops.cols
	if residual != nil {
		copyRows(s.part, residual, whole, m.out, rows, cols)
		residual = s.part
	}
	m.tile(s.part, whole, residual, s, panel, row, rows, lda, a)
	copyRows(dst, s.part, m.out, whole, rows, cols)
}

// copyRows copies rows of cols values between matrices whose rows are dstLD
// and srcLD apart.
func copyRows(dst, src []float32, dstLD, srcLD, rows, cols int) {
	for r := range rows {
		copy(dst[r*dstLD:][:cols], src[r*srcLD:])
	}
}

// tile multiplies packed rows, from row on, with one panel.
func (m *Matrix) tile(c []float32, ldc int, residual []float32, s *Scratch, panel, row, rows, lda int, a Activation) {
	l, from, to, at := m.loops, panel*m.panel(), (panel+1)*m.panel(), row*lda
	bias := m.bias[panel*l.cols:]
	switch {
	case m.dtype == F32:
		l.f32(c, ldc, s.f32[at:], lda, 1, m.f32[from:to], m.k, rows, bias, residual)
	case m.dtype == BF16 && m.group == 1:
		l.bf16Wide(c, ldc, s.f32[at:], lda, m.bf16[from:to], m.k, rows, bias, residual)
	case m.dtype == BF16:
		l.bf16(c, ldc, s.u16[at:], lda, m.bf16[from:to], m.k, rows, bias, residual)
	case m.group == 2:
		l.int8Wide(c, ldc, s.i16[at:], lda, m.int8[from:to], m.k, rows, s.steps[2*row:], m.columns[2*panel*l.cols:], bias, residual)
	default:
		l.int8(c, ldc, s.u8[at:], lda, m.int8[from:to], m.k, rows, s.steps[2*row:], m.columns[2*panel*l.cols:], bias, residual)
	}
	if activate := l.activate[a]; activate != nil {
		activate(c, ldc, rows)
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
	part  []float32 // a tile of which only some columns exist

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
	s.part = grown(s.part, m.loops.rows*m.loops.cols)
}

// grown returns x with a length of at least n.
func grown[E any](x []E, n int) []E {
	if n > len(x) {
		return make([]E, n)
	}
	return x
}
