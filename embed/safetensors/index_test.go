package safetensors_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"starling/embed/modeltest"
	"starling/embed/safetensors"
)

// one returns a file with a tensor of one number for each name.
func one(names ...string) []byte {
	var tensors []modeltest.Tensor
	for i, name := range names {
		tensors = append(tensors, modeltest.Tensor{Name: name, DType: "F32", Shape: []int{1}, Values: []float32{float32(i)}})
	}
	return modeltest.Safetensors(tensors)
}

func TestShardsAreOneSetOfWeights(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "model-00001-of-00002.safetensors", one("a", "b"))
	write(t, dir, "model-00002-of-00002.safetensors", one("c"))
	write(t, dir, safetensors.IndexName, []byte(`{"metadata": {"total_size": 12}, "weight_map": {
		"a": "model-00001-of-00002.safetensors", "b": "model-00001-of-00002.safetensors", "c": "model-00002-of-00002.safetensors"}}`))
	weights, err := safetensors.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	closeAfter(t, weights)
	for _, name := range []string{"a", "b", "c"} {
		if _, ok := weights.Tensor(name); !ok {
			t.Errorf("%s is not there", name)
		}
	}
}

func TestOneFileIsPreferredToShards(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, safetensors.FileName, one("a"))
	write(t, dir, safetensors.IndexName, []byte(`{`))
	weights, err := safetensors.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	closeAfter(t, weights)
	if names := weights.Names(); len(names) != 1 || names[0] != "a" {
		t.Errorf("the tensors are %v", names)
	}
}

func TestAFolderWithoutWeights(t *testing.T) {
	if _, err := safetensors.OpenFolder(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestBadIndexesAreRefused(t *testing.T) {
	for name, test := range map[string]struct{ index, want string }{
		"no JSON":             {`weights`, "index"},
		"no map":              {`{}`, "weight_map"},
		"map is a list":       {`{"weight_map": ["a"]}`, "weight_map"},
		"parent folder":       {`{"weight_map": {"a": "../1.safetensors"}}`, `"../1.safetensors"`},
		"other folder":        {`{"weight_map": {"a": "x/1.safetensors"}}`, `"x/1.safetensors"`},
		"backslash":           {`{"weight_map": {"a": "x\\1.safetensors"}}`, "folder"},
		"absolute":            {`{"weight_map": {"a": "/etc/1.safetensors"}}`, "folder"},
		"drive":               {`{"weight_map": {"a": "c:1.safetensors"}}`, "folder"},
		"pickle":              {`{"weight_map": {"a": "pytorch_model.bin"}}`, "not a safetensors file"},
		"missing file":        {`{"weight_map": {"a": "1.safetensors", "b": "3.safetensors"}}`, "3.safetensors"},
		"missing tensor":      {`{"weight_map": {"a": "1.safetensors", "b": "1.safetensors"}}`, `"b"`},
		"unlisted tensor":     {`{"weight_map": {"c": "2.safetensors"}}`, `"d"`},
		"tensor elsewhere":    {`{"weight_map": {"a": "2.safetensors", "c": "2.safetensors", "d": "1.safetensors"}}`, "weight_map"},
		"tensor in two":       {`{"weight_map": {"a": "1.safetensors", "b": "4.safetensors"}}`, `"a"`},
		"tensor listed twice": {`{"weight_map": {"a": "1.safetensors", "a": "1.safetensors"}}`, `"a"`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "1.safetensors", one("a"))
			write(t, dir, "2.safetensors", one("c", "d"))
			write(t, dir, "4.safetensors", one("a", "b"))
			write(t, dir, safetensors.IndexName, []byte(test.index))
			_, err := safetensors.OpenFolder(dir)
			if err == nil {
				t.Fatal("opened")
			}
			if !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), dir) {
				t.Errorf("%q does not say %s and %s", err, test.want, dir)
			}
		})
	}
}
