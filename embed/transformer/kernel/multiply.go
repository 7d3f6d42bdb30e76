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
			s.steps[r] = m.loops.quantiseWide(s.i16[at:at+width], row)
		default:
			s.steps[r] = m.loops.quantise(s.u8[at:at+width], row)
		}
		src = src[m.in:]
	}
}

// multiplyBlock multiplies packed rows with all weights, panel by panel.
func (m *Matrix) multiplyBlock(dst, residual []float32, rows, lda int, a Activation, s *Scratch) {
	cols := m.loops.cols
	finish := m.loops.finish[a]
	for p := range m.panels() {
		n := p * cols
		for r := 0; r < rows; r += m.loops.rows {
			height := min(m.loops.rows, rows-r)
			m.tile(s, p, r, height, lda)
			var rest []float32
			if residual != nil {
				rest = residual[r*m.out+n:]
			}
			finish(dst[r*m.out+n:], rest, m.out, s.tile, m.bias[n:n+cols], height, min(cols, m.out-n))
		}
	}
}

// tile multiplies packed rows from row on with one panel, into s.tile.
func (m *Matrix) tile(s *Scratch, panel, row, rows, lda int) {
	cols := m.loops.cols
	from, to, at := panel*m.panel(), (panel+1)*m.panel(), row*lda
	switch {
	case m.dtype == F32:
		m.loops.f32(s.tile, cols, s.f32[at:], lda, m.f32[from:to], m.k, rows)
	case m.dtype == BF16 && m.group == 1:
		m.loops.bf16Wide(s.tile, cols, s.f32[at:], lda, m.bf16[from:to], m.k, rows)
	case m.dtype == BF16:
		m.loops.bf16(s.tile, cols, s.u16[at:], lda, m.bf16[from:to], m.k, rows)
	case m.group == 2:
		m.loops.int8Wide(s.tile, cols, s.i16[at:], lda, m.int8[from:to], m.k, rows, s.steps[row:], m.columns[2*panel*cols:])
	default:
		m.loops.int8(s.tile, cols, s.u8[at:], lda, m.int8[from:to], m.k, rows, s.steps[row:], m.columns[2*panel*cols:])
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
	steps []step
	tile  []float32

	keys, values, scores []float32 // of one attention head
}

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
	s.steps = grown(s.steps, rows)
	s.tile = grown(s.tile, m.loops.rows*m.loops.cols)
}

// grown returns x with a length of at least n.
func grown[E any](x []E, n int) []E {
	if n > len(x) {
		return make([]E, n)
	}
	return x
}
