package modeltest

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
)

// A Tensor is to be written.
type Tensor struct {
	Name string
	// DType is F32, BF16 or whatever Bytes are.
	DType string
	Shape []int
	// Values are the numbers; Bytes, where they are set, their encoding.
	Values []float32
	Bytes  []byte
}

// WriteSafetensors writes a safetensors file with the tensors in their order.
func WriteSafetensors(path string, tensors []Tensor) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.Write(head(header(tensors))); err != nil {
		return err
	}
	for _, t := range tensors {
		if _, err := file.Write(t.encode()); err != nil {
			return err
		}
	}
	return nil
}

// Safetensors returns such a file.
func Safetensors(tensors []Tensor) []byte {
	file := head(header(tensors))
	for _, t := range tensors {
		file = append(file, t.encode()...)
	}
	return file
}

// Raw returns a file with any header.
func Raw(header string, data []byte) []byte { return append(head(header), data...) }

// head returns what stands before the data.
func head(header string) []byte {
	for len(header)%8 != 0 {
		header += " "
	}
	return append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...)
}

func header(tensors []Tensor) string {
	entries := map[string]any{"__metadata__": map[string]string{"format": "pt"}}
	at := 0
	for _, t := range tensors {
		end := at + t.size()
		entries[t.Name] = map[string]any{"dtype": t.DType, "shape": t.Shape, "data_offsets": []int{at, end}}
		at = end
	}
	text, err := json.Marshal(entries)
	if err != nil {
		panic(err) // strings and numbers always have JSON
	}
	return string(text)
}

var widths = map[string]int{"F32": 4, "BF16": 2}

func (t Tensor) size() int {
	if t.Bytes != nil {
		return len(t.Bytes)
	}
	return widths[t.DType] * len(t.Values)
}

func (t Tensor) encode() []byte {
	if t.Bytes != nil {
		return t.Bytes
	}
	data := slices.Grow([]byte(nil), t.size())
	for _, x := range t.Values {
		bits := math.Float32bits(x)
		switch t.DType {
		case "F32":
			data = binary.LittleEndian.AppendUint32(data, bits)
		case "BF16":
			data = binary.LittleEndian.AppendUint16(data, uint16((bits+0x7fff+bits>>16&1)>>16))
		default:
			panic(fmt.Sprintf("tensor %s: %s has no encoding here", t.Name, t.DType))
		}
	}
	return data
}
