package transformer

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"starling/embed/internal/jsonfile"
	"starling/embed/modeltest"
	"starling/embed/transformer/kernel"
)

func TestADenseIsAFunctionOfAProduct(t *testing.T) {
	const x = 1*2 + 3*-1 // the first row times the input
	for name, want := range map[string]float64{
		"torch.nn.modules.linear.Identity":    x,
		"torch.nn.modules.activation.Tanh":    math.Tanh(x),
		"torch.nn.modules.activation.ReLU":    0,
		"torch.nn.modules.activation.Sigmoid": 1 / (1 + math.E),
		"torch.nn.modules.activation.GELU":    -0.15865525393145707, // -Phi(-1)
	} {
		dir := t.TempDir()
		object := `{"in_features": 2, "out_features": 2, "bias": false, "activation_function": "` + name + `"}`
		if err := os.WriteFile(filepath.Join(dir, configName), []byte(object), 0o666); err != nil {
			t.Fatal(err)
		}
		weights := []modeltest.Tensor{{Name: "linear.weight", DType: "F32", Shape: []int{2, 2}, Values: []float32{1, 3, 5, 7}}}
		if err := modeltest.WriteSafetensors(filepath.Join(dir, "model.safetensors"), weights); err != nil {
			t.Fatal(err)
		}
		d, _, err := readDense(dir, 2)
		if err != nil {
			t.Fatal(err)
		}
		if got := d.apply([]float32{2, -1}); len(got) != 2 || math.Abs(float64(got[0])-want) > 1e-6 {
			t.Errorf("%s gives %v, want %v first", name, got, want)
		}
	}
}

func TestPoolingModesFollowEachOtherInOneOrder(t *testing.T) {
	object, err := jsonfile.Parse([]byte(`{"pooling_mode_mean_sqrt_len_tokens": true, "pooling_mode_max_tokens": true, "pooling_mode_cls_token": true}`))
	if err != nil {
		t.Fatal(err)
	}
	p, err := parsePooling(object, 2)
	if err != nil {
		t.Fatal(err)
	}
	if p.String() != "cls and max and mean and mean_sqrt_len" {
		t.Errorf("the modes are %s", p)
	}
	got := make([]float32, 8)
	p.pool(got, []float32{1, 5, 3, -1, 2, 2, -2, 2}, 2)
	compare(t, "pooled vector", got, []float32{1, 5, 3, 5, 1, 2, 2, 4}, 0)
}

func TestTheFormatIsChosenByWhatTheProcessorHas(t *testing.T) {
	for path, want := range map[kernel.Path]kernel.DType{
		kernel.Generic: kernel.F32, kernel.AVX2: kernel.F32, kernel.AVX512VNNI: kernel.F32, kernel.AVX512BF16: kernel.BF16,
	} {
		if got, err := parseDType("", path); err != nil || got != want {
			t.Errorf("on %v the format is %v, %v, want %v", path, got, err, want)
		}
	}
}
