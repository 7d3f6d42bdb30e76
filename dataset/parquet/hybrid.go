package parquet

import (
	"encoding/binary"
	"fmt"
	"io"
)

// A hybrid reads integers of a fixed width in bits from the RLE and bit-packing
// hybrid encoding, one at a time (parquet-format, Encodings.md, RLE = 3).
type hybrid struct {
	data  []byte
	width uint // in bits, 0 to 32

	left   uint64 // values left of the run
	packed []byte // a bit-packed run; nil in a repeated one
	bit    uint64 // where in packed the next value begins
	value  uint32 // of a repeated run
}

func (h *hybrid) next() (uint32, error) {
	if h.width == 0 {
		return 0, nil
	}
	for h.left == 0 {
		if err := h.run(); err != nil {
			return 0, fmt.Errorf("reading a run of values: %w", err)
		}
	}
	h.left--
	if h.packed == nil {
		return h.value, nil
	}
	v := bits(h.packed, h.bit, h.width)
	h.bit += uint64(h.width)
	return v, nil
}

// run begins the next run.
func (h *hybrid) run() error {
	head, n := binary.Uvarint(h.data)
	if n <= 0 {
		return io.ErrUnexpectedEOF
	}
	h.data = h.data[n:]
	if head&1 == 1 {
		return h.packedRun(head >> 1)
	}
	return h.repeatedRun(head >> 1)
}

func (h *hybrid) repeatedRun(count uint64) error {
	n := int(h.width+7) / 8
	if n > len(h.data) {
		return io.ErrUnexpectedEOF
	}
	var b [4]byte
	copy(b[:], h.data[:n])
	h.data = h.data[n:]
	h.packed, h.value, h.left = nil, binary.LittleEndian.Uint32(b[:]), count
	return nil
}

// packedRun begins a run of groups of 8 values, width bytes each. Writers may
// cut the last group short.
func (h *hybrid) packedRun(groups uint64) error {
	have := uint64(len(h.data))
	size := min(groups, have) * uint64(h.width)
	size = min(size, have)
	h.packed, h.data = h.data[:size:size], h.data[size:]
	h.bit, h.left = 0, 8*size/uint64(h.width)
	if h.left == 0 && groups > 0 {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// bits returns the width bits of b at the given bit, the least significant
// first. They must be there.
func bits(b []byte, at uint64, width uint) uint32 {
	var word [8]byte
	copy(word[:], b[at/8:])
	v := binary.LittleEndian.Uint64(word[:]) >> (at % 8)
	return uint32(v & (1<<width - 1))
}
