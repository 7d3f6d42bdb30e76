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

// Pack lays out the weights of a linear layer, out rows of in values, and its
// bias, out values or nil for none, for products in d on p. It keeps neither
// slice. A shape that does not fit or a weight that is not finite is an error.
func Pack(p Path, d DType, weights, bias []float32, out, in int) (*Matrix, error) {
	if out < 1 || in < 1 || len(weights)/in != out || len(weights)%in != 0 {
		return nil, fmt.Errorf("%d weights are not %d rows of %d", len(weights), out, in)
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
	m := &Matrix{loops: p.loops(), dtype: d, out: out, in: in}
	m.group = m.loops.group(d)
	m.k = (in + m.group - 1) / m.group
	m.bias = make([]float32, m.panels()*m.loops.cols)
	copy(m.bias, bias)
	switch d {
	case F32:
		m.f32 = make([]float32, m.panels()*m.panel())
		pack(m, m.f32, weights, func(x float32) float32 { return x })
	case BF16:
		m.bf16 = make([]uint16, m.panels()*m.panel())
		pack(m, m.bf16, weights, bfloat16)
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
		if v-v != 0 {
			return i
		}
	}
	return -1
}

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

// pack writes weights to dst panel by panel, each converted. Elements without
// a weight stay zero.
func pack[E any](m *Matrix, dst []E, weights []float32, convert func(float32) E) {
	cols := m.loops.cols
	for row := range m.out {
		at := row/cols*m.panel() + row%cols*m.group
		for i, x := range weights[row*m.in : (row+1)*m.in] {
			dst[at+i/m.group*cols*m.group+i%m.group] = convert(x)
		}
	}
}

// packInt8 quantises each row of weights to -127..127.
func (m *Matrix) packInt8(weights []float32) {
	cols := m.loops.cols
	m.int8 = make([]int8, m.panels()*m.panel())
	m.columns = make([]float32, 2*m.panels()*cols)
	for row := range m.out {
		w := weights[row*m.in : (row+1)*m.in]
		top := float32(0)
		for _, x := range w {
			top = max(top, x, -x)
		}
		at, sum := row/cols*m.panel()+row%cols*m.group, 0
		for i, x := range w {
			q := quantiseWeight(x, top)
			sum += int(q)
			m.int8[at+i/m.group*cols*m.group+i%m.group] = q
		}
		column := m.columns[row/cols*2*cols+row%cols:]
		column[0], column[cols] = float32(sum), top/127
	}
}

// quantiseWeight returns x as a multiple of top/127.
func quantiseWeight(x, top float32) int8 {
	if top < 1e-30 {
		return 0
	}
	return int8(math.RoundToEven(float64(x * (127 / top))))
}

// Out returns the number of outputs, In the number of inputs of the layer.
func (m *Matrix) Out() int { return m.out }

// In returns the number of inputs of the layer.
func (m *Matrix) In() int { return m.in }

// Bytes returns the size of the packed weights, scales and bias in memory.
func (m *Matrix) Bytes() int {
	return 4*len(m.f32) + 2*len(m.bf16) + len(m.int8) + 4*len(m.columns) + 4*len(m.bias)
}
