package kernel

import (
	"fmt"
	"math"
)

// A Matrix holds the weights and bias of a linear layer, packed for one path
// and number format. It is never written after [Pack], so that any number of
// goroutines may multiply with it.
type Matrix struct {
	loops   *loops
	dtype   DType
	out, in int
	k       int // groups of elements in a packed row
	group   int // elements in a group

	// The weights in panels of loops.cols outputs: [panel][k][cols][group].
	// The one that the format needs is set.
	f32  []float32
	bf16 []uint16
	int8 []int8
	// columns holds for each panel of int8 weights the sums of its columns,
	// then their scales.
	columns []float32
	bias    []float32 // filled up to whole panels
}

const (
	// minInt8Inputs is what a register holds of bytes. In a shorter sum the
	// errors of int8 hardly average out, and there is no time to gain.
	minInt8Inputs = 64
	// maxInt8Inputs keeps sums of products of 255 and 127 within 32 bits.
	maxInt8Inputs = 1 << 16
)

// Pack lays out the weights of a linear layer, out rows of in values, and its
// bias, out values or nil for none, for products in d on p. It keeps neither
// slice. Int8 layers of fewer than 64 inputs are held as BF16. A shape that does not fit or a weight that is not finite is an error.
func Pack(p Path, d DType, weights, bias []float32, out, in int) (*Matrix, error) {
	if out < 1 || in < 1 || len(weights)/in != out || len(weights)%in != 0 {
		return nil, fmt.Errorf("%d weights are not %d rows of %d", len(weights), out, in)
	}
	if d == Int8 && in > maxInt8Inputs {
		return nil, fmt.Errorf("%d inputs are more than the %d that int8 can add up", in, maxInt8Inputs)
	}
	if bias != nil && len(bias) != out {
		return nil, fmt.Errorf("%d biases for %d outputs", len(bias), out)
	}
	if i := notFinite(weights); i >= 0 {
		return nil, fmt.Errorf("the weight at row %d, column %d is %v", i/in, i%in, weights[i])
	}
	if i := notFinite(bias); i >= 0 {
		return nil, fmt.Errorf("the bias of output %d is %v", i, bias[i])
	}
	if d == Int8 && in < minInt8Inputs {
		d = BF16
	}
	m := &Matrix{loops: p.loops(), dtype: d, out: out, in: in}
	m.group = m.loops.group(d)
	m.k = (in + m.group - 1) / m.group
	m.bias = make([]float32, m.panels()*m.loops.cols)
	copy(m.bias, bias)
	switch d {
	case F32:
		m.f32 = pack(m, weights, func(dst []float32, _ int, src []float32) { copy(dst, src) })
	case BF16:
		m.bf16 = pack(m, weights, func(dst []uint16, _ int, src []float32) { toBFloat16(dst, src) })
	case Int8:
		m.packInt8(weights)
	default:
		return nil, fmt.Errorf("number format %d is unknown", d)
	}
	return m, nil
}

// notFinite returns the index of the first NaN or infinity in x, or -1.
func notFinite(x []float32) int {
	for i, v := range x {
		if absBits(v) >= infinity {
			return i
		}
	}
	return -1
}

// absBits returns the bits of |x|, which order as the values do, with NaN above
// infinity.
func absBits(x float32) uint32 { return math.Float32bits(x) &^ (1 << 31) }

const infinity = 0xff << 23

// group returns how many elements of d the product takes together.
func (l *loops) group(d DType) int {
	switch {
	case d == BF16 && l.bf16 != nil, d == Int8 && l.int8Wide != nil:
		return 2
	case d == Int8:
		return 4
	}
	return 1
}

// panels is the number of panels that hold the outputs.
func (m *Matrix) panels() int { return (m.out + m.loops.cols - 1) / m.loops.cols }

// panel is the number of elements in a panel.
func (m *Matrix) panel() int { return m.k * m.loops.cols * m.group }

// pack returns the weights in panels. convert turns a part of one output's
// weights into elements. Elements without a weight stay zero.
func pack[E any](m *Matrix, weights []float32, convert func(dst []E, row int, src []float32)) []E {
	packed := make([]E, m.panels()*m.panel())
	cols := m.loops.cols
	// Parts are so short that where they go in the panel stays in the cache
	// while each output of the panel adds its own.
	var part [128]E
	for first := 0; first < m.out; first += cols {
		panel := packed[first/cols*m.panel():][:m.panel()]
		for from := 0; from < m.in; from += len(part) {
			to := min(from+len(part), m.in)
			for c := range min(cols, m.out-first) {
				row := first + c
				convert(part[:to-from], row, weights[row*m.in+from:row*m.in+to])
				scatter(panel[from*cols+c*m.group:], part[:to-from], m.group, cols*m.group)
			}
		}
	}
	return packed
}

// scatter writes groups of src to dst, step apart.
func scatter[E any](dst, src []E, group, step int) {
	if group == 1 {
		for i, x := range src {
			dst[i*step] = x
		}
		return
	}
	for len(src) > 0 {
		n := min(group, len(src))
		for i := range n {
			dst[i] = src[i]
		}
		src = src[n:]
		dst = dst[min(step, len(dst)):]
	}
}

// packInt8 quantises the weights of each output to -127..127.
func (m *Matrix) packInt8(weights []float32) {
	cols := m.loops.cols
	m.columns = make([]float32, 2*m.panels()*cols)
	inverse, sums := make([]float32, m.out), make([]int, m.out)
	for row := range m.out {
		top := largest(weights[row*m.in : (row+1)*m.in])
		if top > 1e-30 {
			inverse[row] = 127 / top
		}
		m.columns[row/cols*2*cols+cols+row%cols] = top / 127
	}
	m.int8 = pack(m, weights, func(dst []int8, row int, src []float32) {
		for i, x := range src {
			dst[i] = int8(math.RoundToEven(float64(x * inverse[row])))
			sums[row] += int(dst[i])
		}
	})
	for row, sum := range sums {
		m.columns[row/cols*2*cols+row%cols] = float32(sum)
	}
}

// largest returns the largest absolute value.
func largest(x []float32) float32 {
	top := uint32(0)
	for _, v := range x {
		top = max(top, absBits(v))
	}
	return math.Float32frombits(top)
}

// Out returns the number of outputs, In the number of inputs of the layer.
func (m *Matrix) Out() int { return m.out }

// In returns the number of inputs of the layer.
func (m *Matrix) In() int { return m.in }

// Bytes returns the size of the packed weights, scales and bias in memory.
func (m *Matrix) Bytes() int {
	return 4*len(m.f32) + 2*len(m.bf16) + len(m.int8) + 4*len(m.columns) + 4*len(m.bias)
}
