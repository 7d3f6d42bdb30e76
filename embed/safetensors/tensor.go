package safetensors

import (
	"fmt"
	"slices"
)

// A Tensor is an array of numbers in a file.
type Tensor struct {
	Name  string
	DType DType
	// Shape holds the dimensions; rows come before columns.
	Shape []int

	path string // of the file
	data []byte // little-endian, the last dimension contiguous
}

// Len is how many numbers there are.
func (t Tensor) Len() int { return len(t.data) / sizes[t.DType] }

// Float32s sets dst to the numbers from index first on, counted through all
// rows. [F32], [F16] and [BF16] can be read, all of them exactly; the error
// for another format names file and tensor.
func (t Tensor) Float32s(dst []float32, first int) error {
	decode, ok := decoders[t.DType]
	if !ok {
		return fmt.Errorf("reading %s: tensor %q holds %s, want F32, F16 or BF16", t.path, t.Name, t.DType)
	}
	width := sizes[t.DType]
	if first < 0 || first > t.Len() || len(dst) > t.Len()-first {
		return fmt.Errorf("reading %s: tensor %q has %d numbers, not %d from number %d on", t.path, t.Name, t.Len(), len(dst), first)
	}
	return guard(t.path, func() error {
		decode(dst, t.data[width*first:][:width*len(dst)])
		return nil
	})
}

// Clone returns a copy of the tensor in ordinary memory, which stays when the
// weights are closed.
func (t Tensor) Clone() (Tensor, error) {
	mapped := t.data
	err := guard(t.path, func() error {
		t.data = slices.Clone(mapped)
		return nil
	})
	return t, err
}

// Path is the file that holds the tensor.
func (t Tensor) Path() string { return t.path }

var decoders = map[DType]func(dst []float32, src []byte){F32: decodeF32, F16: decodeF16, BF16: decodeBF16}
