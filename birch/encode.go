package birch

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"slices"
)

// The binary form of a tree, all numbers little-endian:
//
//	magic    8 bytes  "CFTREE", 0, version
//	length   8        of the body
//	body
//	checksum 4        CRC-32C of all before it
//
// The body:
//
//	settings, one after the other as in the struct
//	the leaf entries in slot order, then the spilled ones: id 8, feature
//	the nodes, level by level from the root: feature (but for the root), number
//	of children 4, and in a leaf the slot of each child 4
//
// The children of the inner nodes of one level are, in order, the nodes of the
// next. A feature is 1 if its mean is a vector as it came, else 0: 1, n 8, S 8, and
// the mean: float32 values in the first case, else float64 values. Norms are
// computed anew.
//
// Nothing else is state, and nodes are numbered by their place, so trees that
// behave alike have the same bytes.
const (
	magic      = "CFTREE\x00\x02"
	headerSize = len(magic) + 8
	crcSize    = 4
	// momentsSize is that of a feature without its mean.
	momentsSize = 1 + 2*8
)

// settings is what stands before the entries.
type settings struct {
	Criterion, Distance, DelaySplits                                uint8
	MinCosine, OutlierShare                                         float64
	Threshold                                                       float64 // as configured
	ThresholdNow                                                    float64
	Dim, Branching, LeafCapacity, MaxEntries, ScanLimit, SpillLimit uint32
	MaxBytes                                                        int64
	NextID                                                          uint64
	Entries, Spilled                                                uint32 // their numbers
	Height                                                          uint32 // the number of levels of inner nodes
}

var settingsSize = binary.Size(settings{})

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// AppendBinary appends the binary form of the tree to b. There is no error in fact.
// [Decode] gives a tree that carries on as this one would, bit for bit.
func (t *Tree) AppendBinary(b []byte) ([]byte, error) {
	start := len(b)
	b = slices.Grow(b, t.BinarySize())
	b = append(b, magic...)
	b = binary.LittleEndian.AppendUint64(b, 0) // the length, set below
	levels := t.levels()
	b, err := binary.Append(b, binary.LittleEndian, t.settings(len(levels)-1))
	if err != nil {
		return nil, fmt.Errorf("encoding tree: %w", err)
	}
	b = t.entries.append(b)
	b = t.spill.append(b)
	for _, level := range levels {
		for _, at := range level {
			b = t.appendNode(b, at)
		}
	}
	binary.LittleEndian.PutUint64(b[start+len(magic):], uint64(len(b)-start-headerSize))
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli)), nil
}

// BinarySize returns the length of the binary form.
func (t *Tree) BinarySize() int {
	size := headerSize + settingsSize + crcSize + t.entries.size() + t.spill.size()
	for at, n := range t.nodes {
		size += 4
		if int32(at) != t.root {
			size += t.centres.slotSize(int32(at))
		}
		if n.leaf {
			size += 4 * len(n.children)
		}
	}
	return size
}

func (t *Tree) settings(height int) settings {
	c := &t.config
	return settings{
		Criterion: uint8(c.Criterion), Distance: uint8(c.Distance), DelaySplits: flag(c.DelaySplits),
		MinCosine: c.MinCosine, OutlierShare: c.OutlierShare,
		Threshold: c.Threshold, ThresholdNow: t.threshold,
		Dim: uint32(c.Dim), Branching: uint32(c.Branching), LeafCapacity: uint32(c.LeafCapacity),
		MaxEntries: uint32(c.MaxEntries), ScanLimit: uint32(c.ScanLimit), SpillLimit: uint32(c.SpillLimit),
		MaxBytes: c.MaxBytes,
		NextID:   uint64(t.nextID),
		Entries:  uint32(t.Len()), Spilled: uint32(t.spill.len()), Height: uint32(height),
	}
}

// flag is how a bool is written.
func flag(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

// levels returns the nodes of each level from the root down, children in the
// order of their parents.
func (t *Tree) levels() [][]int32 {
	levels := [][]int32{{t.root}}
	for {
		level := levels[len(levels)-1]
		if t.nodes[level[0]].leaf {
			return levels
		}
		var next []int32
		for _, at := range level {
			next = append(next, t.nodes[at].children...)
		}
		levels = append(levels, next)
	}
}

func (t *Tree) appendNode(b []byte, at int32) []byte {
	n := &t.nodes[at]
	if at != t.root {
		b = t.centres.appendSlot(b, at)
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(len(n.children)))
	if n.leaf {
		for _, slot := range n.children {
			b = binary.LittleEndian.AppendUint32(b, uint32(slot))
		}
	}
	return b
}

// size is how many bytes append appends.
func (r *roster) size() int {
	size := 8 * r.len()
	for slot := range r.ids {
		size += r.slotSize(int32(slot))
	}
	return size
}

func (r *roster) append(b []byte) []byte {
	for slot, id := range r.ids {
		b = binary.LittleEndian.AppendUint64(b, uint64(id))
		b = r.appendSlot(b, int32(slot))
	}
	return b
}

// slotSize is how many bytes appendSlot appends.
func (f *features) slotSize(slot int32) int {
	if f.moments[slot].narrow {
		return momentsSize + 4*f.dim
	}
	return momentsSize + 8*f.dim
}

func (f *features) appendSlot(b []byte, slot int32) []byte {
	m := &f.moments[slot]
	b = append(b, flag(m.narrow))
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(m.n))
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(m.s))
	if m.narrow {
		for _, v := range f.row(slot) {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		}
		return b
	}
	for _, v := range f.mean(slot) {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	return b
}
