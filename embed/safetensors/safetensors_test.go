package safetensors_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"starling/embed/modeltest"
	"starling/embed/safetensors"
)

const oracle = "../../../shared/oracle"

// A probe is what others read from a tensor.
type probe struct {
	DType  string    `json:"dtype"`
	Shape  []int     `json:"shape"`
	Index  []int     `json:"index"`
	Value  []float32 `json:"value"`
	SumF64 float64   `json:"sum_f64"`
}

func TestTensorsAreWhatOthersRead(t *testing.T) {
	goldens, err := filepath.Glob(filepath.Join(oracle, "*", "golden.json"))
	if err != nil || len(goldens) == 0 {
		t.Skipf("no golden model folders in %s", oracle)
	}
	for _, path := range goldens {
		folder := filepath.Dir(path)
		t.Run(filepath.Base(folder), func(t *testing.T) {
			var golden struct {
				Probes map[string]probe `json:"tensor_probes"`
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(data, &golden); err != nil {
				t.Fatal(err)
			}
			weights := open(t, filepath.Join(folder, safetensors.FileName))
			if len(golden.Probes) == 0 {
				t.Fatal("no probes")
			}
			for name, want := range golden.Probes {
				checkProbe(t, weights, name, want)
			}
		})
	}
}

func checkProbe(t *testing.T, weights *safetensors.Weights, name string, want probe) {
	t.Helper()
	tensor, ok := weights.Tensor(name)
	if !ok {
		t.Errorf("there is no tensor %s", name)
		return
	}
	if string(tensor.DType) != want.DType || !slices.Equal(tensor.Shape, want.Shape) {
		t.Errorf("%s is %s %v, want %s %v", name, tensor.DType, tensor.Shape, want.DType, want.Shape)
	}
	if tensor.DType == "I64" {
		return // position ids, which nothing reads
	}
	values := make([]float32, tensor.Len())
	if err := tensor.Float32s(values, 0); err != nil {
		t.Fatal(err)
	}
	for i, at := range want.Index {
		if math.Float32bits(values[at]) != math.Float32bits(want.Value[i]) {
			t.Errorf("%s[%d] = %v, want %v", name, at, values[at], want.Value[i])
		}
	}
	sum, size := 0.0, 0.0
	for _, x := range values {
		sum += float64(x)
		size += math.Abs(float64(x))
	}
	if math.Abs(sum-want.SumF64) > 1e-6*size {
		t.Errorf("the sum of %s is %v, want %v", name, sum, want.SumF64)
	}
}

func open(t *testing.T, path string) *safetensors.Weights {
	t.Helper()
	weights, err := safetensors.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	closeAfter(t, weights)
	return weights
}

func closeAfter(t *testing.T, weights *safetensors.Weights) {
	t.Cleanup(func() {
		if err := weights.Close(); err != nil {
			t.Error(err)
		}
	})
}

// write writes a file and returns its path.
func write(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPartsOfATensorCanBeRead(t *testing.T) {
	path := write(t, t.TempDir(), "a.safetensors", modeltest.Safetensors([]modeltest.Tensor{
		{Name: "x", DType: "F32", Shape: []int{2, 3}, Values: []float32{1, 2, 3, 4, 5, 6}},
	}))
	tensor, ok := open(t, path).Tensor("x")
	if !ok {
		t.Fatal("x is not there")
	}
	row := make([]float32, 3)
	if err := tensor.Float32s(row, 3); err != nil || !slices.Equal(row, []float32{4, 5, 6}) {
		t.Errorf("the second row is %v, %v", row, err)
	}
	for _, first := range []int{-1, 4, 7, math.MaxInt} {
		if err := tensor.Float32s(row, first); err == nil {
			t.Errorf("read %v from number %d on", row, first)
		}
	}
}

func TestOtherFormatsAreKnownButNotFloats(t *testing.T) {
	path := write(t, t.TempDir(), "a.safetensors", modeltest.Safetensors([]modeltest.Tensor{
		{Name: "ids", DType: "I64", Shape: []int{2}, Bytes: make([]byte, 16)},
		{Name: "mask", DType: "BOOL", Shape: []int{3}, Bytes: make([]byte, 3)},
		{Name: "none", DType: "F64", Shape: []int{0, 5}, Bytes: []byte{}},
		{Name: "scalar", DType: "BF16", Shape: []int{}, Bytes: []byte{0x80, 0x3f}},
	}))
	weights := open(t, path)
	for name, count := range map[string]int{"ids": 2, "mask": 3, "none": 0, "scalar": 1} {
		tensor, _ := weights.Tensor(name)
		if tensor.Len() != count {
			t.Errorf("%s has %d numbers, want %d", name, tensor.Len(), count)
		}
		one := make([]float32, tensor.Len())
		err := tensor.Float32s(one, 0)
		if name == "scalar" {
			if err != nil || one[0] != 1 {
				t.Errorf("the scalar 1 is %v, %v", one, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), path) {
			t.Errorf("reading %s as float32: %v", name, err)
		}
	}
}

func TestACloneOutlivesTheFile(t *testing.T) {
	path := write(t, t.TempDir(), "a.safetensors", modeltest.Safetensors([]modeltest.Tensor{
		{Name: "x", DType: "BF16", Shape: []int{2}, Values: []float32{1, -2}},
	}))
	weights, err := safetensors.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	tensor, _ := weights.Tensor("x")
	clone, err := tensor.Clone()
	if err != nil {
		t.Fatal(err)
	}
	if err := weights.Close(); err != nil {
		t.Fatal(err)
	}
	values := make([]float32, 2)
	if err := clone.Float32s(values, 0); err != nil || !slices.Equal(values, []float32{1, -2}) {
		t.Errorf("the clone holds %v, %v", values, err)
	}
}

func TestMemoryIsGivenBackAndReadAgain(t *testing.T) {
	values := make([]float32, 1<<20)
	for i := range values {
		values[i] = float32(i)
	}
	path := write(t, t.TempDir(), "a.safetensors", modeltest.Safetensors([]modeltest.Tensor{
		{Name: "x", DType: "F32", Shape: []int{len(values)}, Values: values},
	}))
	tensor, _ := open(t, path).Tensor("x")
	clone, err := tensor.Clone()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for _, tensor := range []safetensors.Tensor{tensor, clone} {
			got := make([]float32, len(values))
			if err := tensor.Float32s(got, 0); err != nil || !slices.Equal(got, values) {
				t.Fatalf("the numbers are others: %v", err)
			}
		}
	}
}

func TestAFileCutShortLaterIsAnError(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs a system that maps files")
	}
	values := make([]float32, 1<<16)
	path := write(t, t.TempDir(), "a.safetensors", modeltest.Safetensors([]modeltest.Tensor{
		{Name: "x", DType: "F32", Shape: []int{len(values)}, Values: values},
	}))
	weights := open(t, path)
	tensor, _ := weights.Tensor("x")
	if err := os.Truncate(path, 4096); err != nil {
		t.Fatal(err)
	}
	_, cloneErr := tensor.Clone()
	for what, err := range map[string]error{"reading": tensor.Float32s(values, 0), "copying": cloneErr} {
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s the rest of a file cut short: %v", what, err)
		}
	}
}

// file returns a file whose header has the given entries.
func file(dataBytes int, entries string) []byte {
	return modeltest.Raw("{"+entries+"}", make([]byte, dataBytes))
}

func TestBadFilesAreRefused(t *testing.T) {
	const good = `"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}`
	for name, test := range map[string]struct {
		data []byte
		want string
	}{
		"empty":                   {nil, "0 bytes"},
		"seven bytes":             {make([]byte, 7), "7 bytes"},
		"header of 100 MB":        {append([]byte{0, 0xe1, 0xf5, 5, 0, 0, 0, 0}, '{'), "100000000 bytes"},
		"header of 2^63 bytes":    {append([]byte{0, 0, 0, 0, 0, 0, 0, 0x80}, '{'), "9223372036854775808 bytes"},
		"header past the end":     {append([]byte{9, 0, 0, 0, 0, 0, 0, 0}, "{}"...), "9 bytes"},
		"header without JSON":     {modeltest.Raw("hello", nil), "header"},
		"header with an array":    {modeltest.Raw("[]", nil), "header"},
		"two headers":             {modeltest.Raw("{}{}", nil), "more than one"},
		"cut short":               {file(7, good), `"a"`},
		"bytes left over":         {file(9, good), "9 bytes"},
		"key twice":               {file(8, good+","+good), `"a"`},
		"dtype twice":             {file(8, `"a": {"dtype": "F32", "dtype": "F32", "shape": [2], "data_offsets": [0, 8]}`), `"dtype"`},
		"overlap":                 {file(12, good+`, "b": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}`), "overlaps"},
		"gap":                     {file(20, good+`, "b": {"dtype": "F32", "shape": [2], "data_offsets": [12, 20]}`), `"b"`},
		"same place":              {file(8, good+`, "b": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}`), "overlaps"},
		"backwards":               {file(8, `"a": {"dtype": "F32", "shape": [2], "data_offsets": [8, 0]}`), `"a"`},
		"wrong size":              {file(8, `"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}`), "12 bytes"},
		"size overflows":          {file(8, `"a": {"dtype": "F32", "shape": [4611686018427387904, 2], "data_offsets": [0, 8]}`), "too large"},
		"size is 2^64":            {file(0, `"a": {"dtype": "F32", "shape": [4294967296, 1073741824], "data_offsets": [0, 0]}`), "too large"},
		"negative dimension":      {file(8, `"a": {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]}`), "negative"},
		"dimension of a half":     {file(8, `"a": {"dtype": "F32", "shape": [0.5], "data_offsets": [0, 8]}`), "shape"},
		"17 dimensions":           {file(4, `"a": {"dtype": "F32", "shape": [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1], "data_offsets": [0, 4]}`), "dimensions"},
		"negative offset":         {file(8, `"a": {"dtype": "F32", "shape": [2], "data_offsets": [-8, 0]}`), "data_offsets"},
		"offset over 2^64":        {file(8, `"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 18446744073709551624]}`), "data_offsets"},
		"three offsets":           {file(8, `"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8, 8]}`), "data_offsets"},
		"no shape":                {file(4, `"a": {"dtype": "F32", "data_offsets": [0, 4]}`), "shape"},
		"no dtype":                {file(4, `"a": {"shape": [1], "data_offsets": [0, 4]}`), "dtype"},
		"unknown dtype":           {file(4, `"a": {"dtype": "F31", "shape": [1], "data_offsets": [0, 4]}`), "F31"},
		"dtype in other case":     {file(4, `"a": {"DType": "F32", "shape": [1], "data_offsets": [0, 4]}`), "dtype"},
		"tensor is not an object": {file(4, `"a": 4`), `"a"`},
		"too deep":                {modeltest.Raw(strings.Repeat(`{"a":`, 100), nil), "deep"},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, t.TempDir(), "bad.safetensors", test.data)
			weights, err := safetensors.Open(path)
			if err == nil {
				t.Fatalf("opened with the tensors %v", weights.Names())
			}
			if !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("%q does not say %s and %s", err, test.want, path)
			}
		})
	}
}

func TestWhatIsNoFileIsRefused(t *testing.T) {
	dir := t.TempDir()
	if _, err := safetensors.Open(dir); err == nil {
		t.Error("opened a folder")
	}
	if _, err := safetensors.Open(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opening nothing: %v", err)
	}
}
