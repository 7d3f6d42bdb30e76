// Package modeltest writes model folders with random weights, for tests and
// benchmarks.
//
//	modeltest.Shape{Type: "bert", Layers: 2, Heads: 3, Dim: 36, Hidden: 50, Positions: 64}.Write(dir)
//	modeltest.WriteSafetensors(path, tensors)
package modeltest

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
)

// A Tensor is to be written.
type Tensor struct {
	Name string
	// DType is F32, F16, BF16 or whatever Bytes are.
	DType string
	Shape []int
	// Values are the numbers; Bytes, where they are set, their encoding.
	Values []float32
	Bytes  []byte
}

// WriteSafetensors writes a safetensors file.
func WriteSafetensors(path string, tensors []Tensor) error {
	return os.WriteFile(path, Safetensors(tensors), 0o666)
}

// Safetensors returns a safetensors file with the tensors in their order.
func Safetensors(tensors []Tensor) []byte {
	var data bytes.Buffer
	header := map[string]any{"__metadata__": map[string]string{"format": "pt"}}
	for _, t := range tensors {
		begin := data.Len()
		data.Write(t.encode())
		header[t.Name] = map[string]any{"dtype": t.DType, "shape": t.Shape, "data_offsets": []int{begin, data.Len()}}
	}
	text, err := json.Marshal(header)
	if err != nil {
		panic(err) // strings and numbers always have JSON
	}
	return Raw(string(text), data.Bytes())
}

// Raw returns a file with any header, padded to a multiple of eight bytes.
func Raw(header string, data []byte) []byte {
	for len(header)%8 != 0 {
		header += " "
	}
	file := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(file, header...), data...)
}

func (t Tensor) encode() []byte {
	if t.Bytes != nil {
		return t.Bytes
	}
	var data []byte
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
