package safetensors

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"starling/embed/internal/jsonfile"
)

// maxFiles bounds the files that an index may list.
const maxFiles = 1024

// An index says which file holds each tensor.
type index struct {
	path  string
	files map[string]string // by the name of the tensor
}

func readIndex(path string) (index, error) {
	object, err := jsonfile.Read(path, MaxHeaderBytes)
	if err != nil {
		return index{}, err
	}
	x := index{path: path}
	if err := object.Get("weight_map", &x.files); err != nil {
		return index{}, fmt.Errorf("reading %s: %w", path, err)
	}
	if len(x.files) == 0 {
		return index{}, fmt.Errorf("reading %s: weight_map lists no tensors", path)
	}
	for tensor, file := range x.files {
		if err := checkFileName(file); err != nil {
			return index{}, fmt.Errorf("reading %s: weight_map: tensor %q: %w", path, tensor, err)
		}
	}
	return x, nil
}

// checkFileName refuses names that would lead out of the folder.
func checkFileName(name string) error {
	if !strings.HasSuffix(name, ".safetensors") {
		return fmt.Errorf("%q is not a safetensors file", name)
	}
	if strings.ContainsAny(name, `/\:`) || !filepath.IsLocal(name) {
		return fmt.Errorf("%q is not a file of this folder", name)
	}
	return nil
}

func openSharded(dir string, x index) (*Weights, error) {
	w := &Weights{tensors: make(map[string]Tensor)}
	if err := w.addSharded(dir, x); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// addSharded adds the files of an index, which must hold the tensors that it
// lists and no others.
func (w *Weights) addSharded(dir string, x index) error {
	files := slices.Compact(slices.Sorted(maps.Values(x.files)))
	if len(files) > maxFiles {
		return fmt.Errorf("reading %s: there are %d files, more than the %d allowed", x.path, len(files), maxFiles)
	}
	for _, file := range files {
		if err := w.add(filepath.Join(dir, file)); err != nil {
			return err
		}
	}
	for name, tensor := range w.tensors {
		if filepath.Base(tensor.path) != x.files[name] {
			return fmt.Errorf("reading %s: tensor %q is in %s, not where weight_map says", x.path, name, tensor.path)
		}
	}
	for name, file := range x.files {
		if _, ok := w.tensors[name]; !ok {
			return fmt.Errorf("reading %s: tensor %q is not in %s", x.path, name, file)
		}
	}
	return nil
}
