package safetensors

import (
	"testing"

	"starling/embed/modeltest"
)

// FuzzParse checks that a file is refused or wholly covered by its tensors,
// all of which can be read.
func FuzzParse(f *testing.F) {
	f.Add(modeltest.Raw("{}", nil))
	f.Add(modeltest.Raw(`{"a": {"dtype": "F16", "shape": [2, 1], "data_offsets": [0, 4]}}`, []byte("1234")))
	f.Add(modeltest.Raw(`{"a": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]},
		"b": {"dtype": "BF16", "shape": [], "data_offsets": [0, 2]}}`, []byte("12")))
	f.Fuzz(func(t *testing.T, file []byte) {
		tensors, err := parse(file)
		if err != nil {
			return
		}
		size := 0
		for _, tensor := range tensors {
			size += len(tensor.data)
			if len(tensor.data) != tensor.Len()*sizes[tensor.DType] {
				t.Errorf("%d numbers of %s in %d bytes", tensor.Len(), tensor.DType, len(tensor.data))
			}
			if _, ok := decoders[tensor.DType]; !ok {
				continue
			}
			if err := tensor.Float32s(make([]float32, tensor.Len()), 0); err != nil {
				t.Error(err)
			}
		}
		if size > len(file) {
			t.Errorf("tensors of %d bytes in a file of %d", size, len(file))
		}
	})
}
