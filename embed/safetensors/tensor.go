package safetensors

import "fmt"

// A Tensor is an array of numbers in a file.
type Tensor struct {
	Name  string
	DType DType
	// Shape holds the dimensions; rows come before columns.
	Shape []int

	path   string // of the file
	data   []byte // little-endian, the last dimension contiguous
	mapped bool   // data is part of a mapping
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
	numbers := t.data[width*first:][:width*len(dst)]
	return t.chunks(numbers, func(chunk []byte) {
		n := len(chunk) / width
		decode(dst[:n], chunk)
		dst = dst[n:]
	})
}

// Clone returns a copy of the tensor in ordinary memory, which stays when the
// weights are closed.
func (t Tensor) Clone() (Tensor, error) {
	data := make([]byte, 0, len(t.data))
	err := t.chunks(t.data, func(chunk []byte) { data = append(data, chunk...) })
	t.data, t.mapped = data, false
	return t, err
}

// chunkBytes is how much of a mapping is read before its memory is given back.
const chunkBytes = 1 << 20

// chunks calls use with one part after the other of data, which is the
// tensor's. Pages that were read leave the memory of the process at once:
// weights are read from beginning to end and then packed elsewhere.
func (t Tensor) chunks(data []byte, use func([]byte)) error {
	return guard(t.path, func() error {
		for len(data) > 0 {
			chunk := data[:min(chunkBytes, len(data))]
			use(chunk)
			if t.mapped && len(chunk) == chunkBytes {
				release(chunk)
			}
			data = data[len(chunk):]
		}
		return nil
	})
}

// Path is the file that holds the tensor.
func (t Tensor) Path() string { return t.path }

var decoders = map[DType]func(dst []float32, src []byte){F32: decodeF32, F16: decodeF16, BF16: decodeBF16}
