// Package safetensors reads model weights in the safetensors format: a header
// in JSON that names every tensor, and their numbers.
//
//	weights, err := safetensors.OpenFolder("all-MiniLM-L6-v2")
//	defer weights.Close()
//	tensor, ok := weights.Tensor("embeddings.LayerNorm.weight")
//	err = tensor.Float32s(values, 0)
//
// The format: 8 bytes with the header's length, little-endian; the header, an
// object of {"dtype", "shape", "data_offsets"} by tensor name; the data. See
// https://github.com/huggingface/safetensors#format.
//
// Files are mapped, not read, and checked as a whole when they are opened: the
// tensors must fill the file without overlap or gap. A file that is cut short
// later gives an error, not a fault.
package safetensors

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
)

const (
	// FileName is the file of a model folder that holds its weights.
	FileName = "model.safetensors"
	// IndexName is the file that says which files hold them, where they are many.
	IndexName = "model.safetensors.index.json"
)

// Weights are the tensors of one file, or of the files of a folder. They may
// be read by several goroutines until they are closed.
type Weights struct {
	files   []mapping // at least one, until they are closed
	tensors map[string]Tensor
}

// A mapping is a file in memory.
type mapping struct {
	path string
	data []byte
}

// Open opens the file at path.
func Open(path string) (*Weights, error) {
	w := &Weights{tensors: make(map[string]Tensor)}
	if err := w.add(path); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// OpenFolder opens [FileName] of the folder dir, or, where there is none, the
// files that [IndexName] lists. Where there is neither, the error is
// [io/fs.ErrNotExist].
func OpenFolder(dir string) (*Weights, error) {
	w, err := Open(filepath.Join(dir, FileName))
	if !errors.Is(err, fs.ErrNotExist) {
		return w, err
	}
	index, indexErr := readIndex(filepath.Join(dir, IndexName))
	if errors.Is(indexErr, fs.ErrNotExist) {
		return nil, err
	}
	if indexErr != nil {
		return nil, indexErr
	}
	return openSharded(dir, index)
}

// add maps a file and adds its tensors.
func (w *Weights) add(path string) error {
	data, err := mapPath(path)
	if err != nil {
		return fmt.Errorf("opening %s: %w", path, err)
	}
	w.files = append(w.files, mapping{path, data})
	return guard(path, func() error {
		tensors, err := parse(data)
		if err != nil {
			return fmt.Errorf("opening %s: %w", path, err)
		}
		for _, tensor := range tensors {
			if other, twice := w.tensors[tensor.Name]; twice {
				return fmt.Errorf("opening %s: tensor %q is in %s too", path, tensor.Name, other.path)
			}
			tensor.path, tensor.mapped = path, true
			w.tensors[tensor.Name] = tensor
		}
		return nil
	})
}

func mapPath(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a file")
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	defer file.Close() // the mapping stays
	if info, err = file.Stat(); err != nil {
		return nil, err
	}
	if info.Size() == 0 || info.Size() > math.MaxInt {
		return nil, fmt.Errorf("the file has %d bytes", info.Size())
	}
	return mapFile(file, int(info.Size()))
}

// Close releases the memory. No tensor may be read afterwards.
func (w *Weights) Close() error {
	var errs []error
	for _, file := range w.files {
		errs = append(errs, unmapFile(file.data))
	}
	w.files, w.tensors = nil, nil
	return errors.Join(errs...)
}

// Tensor returns the tensor name and whether there is one.
func (w *Weights) Tensor(name string) (Tensor, bool) {
	tensor, ok := w.tensors[name]
	return tensor, ok
}

// Paths names the files, at least one.
func (w *Weights) Paths() []string {
	paths := make([]string, len(w.files))
	for i, file := range w.files {
		paths[i] = file.path
	}
	return paths
}

// Names returns the names of all tensors, in no order.
func (w *Weights) Names() []string {
	names := make([]string, 0, len(w.tensors))
	for name := range w.tensors {
		names = append(names, name)
	}
	return names
}

// guard calls read, which reads mapped memory of the file at path. Such a read
// faults where the file has been cut short since it was mapped, or its disk
// fails; that becomes an error.
func guard(path string, read func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		cause := recover()
		if fault, ok := cause.(interface{ Addr() uintptr }); ok {
			err = fmt.Errorf("reading %s: memory at %#x cannot be read: has the file been cut short?", path, fault.Addr())
		} else if cause != nil {
			panic(cause)
		}
	}()
	return read()
}
