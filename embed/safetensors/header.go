package safetensors

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"starling/embed/internal/jsonfile"
)

const (
	// MaxHeaderBytes is the longest header that is read: room for some hundred
	// thousand tensors. (The format itself allows 100 MB.)
	MaxHeaderBytes = 16 << 20
	// maxDims bounds the dimensions of a tensor.
	maxDims = 16
	// lengthBytes is the size of the field before the header.
	lengthBytes = 8
)

// metadataKey is the one key of a header that names no tensor.
const metadataKey = "__metadata__"

// parse returns the tensors of a file, in the order of their data. They must
// fill all that follows the header, without overlap or gap, so that no byte of
// the file has two meanings or none.
func parse(file []byte) ([]Tensor, error) {
	header, data, err := split(file)
	if err != nil {
		return nil, err
	}
	object, err := jsonfile.Parse(header)
	if err != nil {
		return nil, fmt.Errorf("reading the header: %w", err)
	}
	delete(object, metadataKey)
	entries := make([]entry, 0, len(object))
	for name, raw := range object {
		e, err := parseEntry(name, raw)
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end), cmp.Compare(a.Name, b.Name))
	})
	return place(entries, data)
}

// split cuts a file in its header and the data after it.
func split(file []byte) (header, data []byte, err error) {
	if len(file) < lengthBytes {
		return nil, nil, fmt.Errorf("the file has %d bytes, too few for a safetensors file", len(file))
	}
	length := binary.LittleEndian.Uint64(file)
	rest := file[lengthBytes:]
	if length > MaxHeaderBytes {
		return nil, nil, fmt.Errorf("the header is said to have %d bytes, more than the %d allowed", length, MaxHeaderBytes)
	}
	if length > uint64(len(rest)) {
		return nil, nil, fmt.Errorf("the header is said to have %d bytes, but the file ends after %d of them", length, len(rest))
	}
	return rest[:length], rest[length:], nil
}

// An entry is a tensor as the header describes it.
type entry struct {
	Tensor
	begin, end uint64 // where its data lie after the header
}

func parseEntry(name string, raw json.RawMessage) (entry, error) {
	var object jsonfile.Object
	if err := json.Unmarshal(raw, &object); err != nil {
		return entry{}, err
	}
	var dtype DType
	var shape []int
	var offsets []uint64
	if err := errors.Join(object.Get("dtype", &dtype), object.Get("shape", &shape), object.Get("data_offsets", &offsets)); err != nil {
		return entry{}, err
	}
	if shape == nil || len(offsets) != 2 {
		return entry{}, errors.New("there is no shape, or not two data_offsets")
	}
	size, err := dataSize(dtype, shape)
	if err != nil {
		return entry{}, err
	}
	begin, end := offsets[0], offsets[1]
	if end < begin || end-begin != size {
		return entry{}, fmt.Errorf("data_offsets %d to %d do not hold the %d bytes of %s %v", begin, end, size, dtype, shape)
	}
	return entry{Tensor{Name: name, DType: dtype, Shape: shape}, begin, end}, nil
}

// dataSize returns the bytes that a tensor takes.
func dataSize(dtype DType, shape []int) (uint64, error) {
	width, ok := sizes[dtype]
	if !ok {
		return 0, fmt.Errorf("dtype %q is not known", dtype)
	}
	if len(shape) > maxDims {
		return 0, fmt.Errorf("there are %d dimensions, more than the %d allowed", len(shape), maxDims)
	}
	size := uint64(width)
	for _, n := range shape {
		if n < 0 {
			return 0, fmt.Errorf("shape %v has a negative dimension", shape)
		}
		high, low := bits.Mul64(size, uint64(n))
		if high != 0 {
			return 0, fmt.Errorf("shape %v is too large", shape)
		}
		size = low
	}
	return size, nil
}

// place gives tensors, sorted by their offsets, their data.
func place(entries []entry, data []byte) ([]Tensor, error) {
	tensors := make([]Tensor, len(entries))
	at := uint64(0)
	for i, e := range entries {
		switch {
		case e.begin < at:
			return nil, fmt.Errorf("tensor %q begins at %d and overlaps %q, which ends at %d", e.Name, e.begin, entries[i-1].Name, at)
		case e.begin > at:
			return nil, fmt.Errorf("tensor %q begins at %d, but the data before it end at %d", e.Name, e.begin, at)
		case e.end > uint64(len(data)):
			return nil, fmt.Errorf("tensor %q ends at %d, but the file has only %d bytes of data: it is cut short", e.Name, e.end, len(data))
		}
		tensors[i] = e.Tensor
		tensors[i].data = data[e.begin:e.end:e.end]
		at = e.end
	}
	if at != uint64(len(data)) {
		return nil, fmt.Errorf("the tensors end at %d, but the file has %d bytes of data", at, len(data))
	}
	return tensors, nil
}
