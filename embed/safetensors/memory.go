package safetensors

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
)

// Read returns the tensors of a file that is in memory already; they are parts
// of data, which must not change. Errors call the file name.
func Read(name string, data []byte) (map[string]Tensor, error) {
	tensors, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", name, err)
	}
	byName := make(map[string]Tensor, len(tensors))
	for _, t := range tensors {
		t.path = name
		byName[t.Name] = t
	}
	return byName, nil
}

// Data returns the numbers as they lie in the file, little-endian. For a tensor
// of [Read] they are part of what was read.
func (t Tensor) Data() ([]byte, error) {
	if !t.mapped {
		return t.data, nil
	}
	copied, err := t.Clone()
	return copied.data, err
}

// New returns a tensor that holds data, to be written by [Encode].
func New(name string, dtype DType, shape []int, data []byte) Tensor {
	return Tensor{Name: name, DType: dtype, Shape: shape, data: data}
}

// Encode returns a file with the tensors in their order. It begins their data
// at a multiple of eight bytes.
func Encode(tensors []Tensor) ([]byte, error) {
	type place struct {
		DType   DType  `json:"dtype"`
		Shape   []int  `json:"shape"`
		Offsets [2]int `json:"data_offsets"`
	}
	places, at := make(map[string]place), 0
	for _, t := range tensors {
		if size, err := dataSize(t.DType, t.Shape); err != nil || size != uint64(len(t.data)) {
			return nil, fmt.Errorf("encoding tensor %q: %d bytes are not %s %v", t.Name, len(t.data), t.DType, t.Shape)
		}
		places[t.Name] = place{t.DType, t.Shape, [2]int{at, at + len(t.data)}}
		at += len(t.data)
	}
	header, err := json.Marshal(places)
	if err != nil {
		return nil, fmt.Errorf("encoding the header: %w", err)
	}
	for len(header)%8 != 0 {
		header = append(header, ' ')
	}
	file := slices.Grow(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), len(header)+at)
	file = append(file, header...)
	for _, t := range tensors {
		file = append(file, t.data...)
	}
	return file, nil
}
