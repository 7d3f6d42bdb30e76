package safetensors_test

import (
	"bytes"
	"testing"

	"starling/embed/safetensors"
)

func TestWhatIsEncodedIsReadBack(t *testing.T) {
	want := []byte{1, 255, 3, 4, 5, 6}
	file, err := safetensors.Encode([]safetensors.Tensor{
		safetensors.New("a", "I8", []int{2, 3}, want),
		safetensors.New("b", safetensors.F32, []int{1}, []byte{0, 0, 128, 63}),
	})
	if err != nil {
		t.Fatal(err)
	}
	tensors, err := safetensors.Read("memory", file)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := tensors["a"].Data(); err != nil || !bytes.Equal(got, want) || tensors["a"].DType != "I8" {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	var one [1]float32
	if err := tensors["b"].Float32s(one[:], 0); err != nil || one[0] != 1 {
		t.Errorf("%v, %v, want 1", one, err)
	}
	if _, err := safetensors.Read("memory", file[:len(file)-1]); err == nil {
		t.Error("a file cut short was read")
	}
}

func TestATensorOfAnotherSizeIsNotEncoded(t *testing.T) {
	if _, err := safetensors.Encode([]safetensors.Tensor{safetensors.New("a", "I8", []int{2}, []byte{1})}); err == nil {
		t.Error("one byte passed for two")
	}
}
