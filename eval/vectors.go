package eval

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
)

// maxDim bounds the length of vectors in a file.
const maxDim = 1 << 16

// VectorFile is a file of vectors, one after the other, each of Dim float32
// values in little-endian order: what `starling embed --format f32` and NumPy's
// tofile write.
type VectorFile struct {
	// Rows is the number of vectors, Dim the length of each.
	Rows, Dim int

	name string
	file *os.File
	in   *bufio.Reader
	row  int // of the vector read last, from 1
	raw  []byte
}

// OpenVectors opens a regular file of vectors of length dim. The caller closes it.
func OpenVectors(name string, dim int) (*VectorFile, error) {
	if dim < 1 || dim > maxDim {
		return nil, fmt.Errorf("reading %s: vectors of %d values; the dimension must be from 1 to %d", name, dim, maxDim)
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("reading vectors: %w", err)
	}
	rows, err := countRows(file, int64(dim)*4)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reading %s: %w", name, err), file.Close())
	}
	return &VectorFile{Rows: rows, Dim: dim, name: name, file: file, in: bufio.NewReaderSize(file, 1<<20), raw: make([]byte, 4*dim)}, nil
}

func countRows(file *os.File, rowBytes int64) (int, error) {
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	if !info.Mode().IsRegular() {
		return 0, errors.New("not a regular file")
	}
	if rest := info.Size() % rowBytes; rest != 0 {
		return 0, fmt.Errorf("%d bytes are not whole vectors of %d float32 values, %d bytes each; %d are left over",
			info.Size(), rowBytes/4, rowBytes, rest)
	}
	return int(info.Size() / rowBytes), nil
}

// Close closes the file.
func (f *VectorFile) Close() error { return f.file.Close() }

// Next returns the next vector, scaled to length one as those of models are, or
// io.EOF. A vector that has no direction or a value that is no finite number is
// an error that names its row, counted from 1. The caller owns the vector.
func (f *VectorFile) Next() ([]float32, error) {
	if f.row == f.Rows {
		return nil, io.EOF
	}
	f.row++
	if _, err := io.ReadFull(f.in, f.raw); err != nil {
		return nil, fmt.Errorf("reading %s, row %d: %w", f.name, f.row, err)
	}
	vector := make([]float32, f.Dim)
	for i := range vector {
		vector[i] = math.Float32frombits(binary.LittleEndian.Uint32(f.raw[4*i:]))
	}
	if err := normalise(vector); err != nil {
		return nil, fmt.Errorf("reading %s, row %d: %w", f.name, f.row, err)
	}
	return vector, nil
}

// normalise scales a vector to length one.
func normalise(vector []float32) error {
	square := 0.0
	for i, v := range vector {
		if value := float64(v); math.IsNaN(value) || math.IsInf(value, 0) {
			return fmt.Errorf("value %d of the vector is %v, not a finite number", i+1, v)
		}
		square += float64(v) * float64(v)
	}
	if square == 0 {
		return errors.New("the vector has only zeros, so it is like nothing")
	}
	for i := range vector {
		vector[i] = float32(float64(vector[i]) / math.Sqrt(square))
	}
	return nil
}
