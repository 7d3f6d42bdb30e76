package birch

import (
	"encoding/binary"
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
//	criterion 1, dim 4, branching 4, leaf capacity 4, max entries 4, scan limit 4
//	threshold configured 8, threshold now 8, next id 8
//	number of entries 4, height 4: the number of levels of inner nodes
//	the entries in slot order: id 8, feature
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
	// configSize is that of what stands before the entries.
	configSize = 1 + 5*4 + 3*8 + 4 + 4
	crcSize    = 4
	// momentsSize is that of a feature without its mean.
	momentsSize = 1 + 2*8
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// AppendBinary appends the binary form of the tree to b. The error is always nil.
// [Decode] gives a tree that carries on as this one would, bit for bit.
func (t *Tree) AppendBinary(b []byte) ([]byte, error) {
	start := len(b)
	b = slices.Grow(b, t.BinarySize())
	b = append(b, magic...)
	b = binary.LittleEndian.AppendUint64(b, 0) // the length, set below
	b = t.appendConfig(b)
	levels := t.levels()
	b = binary.LittleEndian.AppendUint32(b, uint32(t.Len()))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(levels)-1))
	for slot, id := range t.entries.ids {
		b = binary.LittleEndian.AppendUint64(b, uint64(id))
		b = t.entries.appendSlot(b, int32(slot))
	}
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
	size := headerSize + configSize + crcSize + 8*t.Len()
	for slot := range t.entries.ids {
		size += t.entries.slotSize(int32(slot))
	}
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

func (t *Tree) appendConfig(b []byte) []byte {
	c := &t.config
	b = append(b, byte(c.Criterion))
	for _, v := range []int{c.Dim, c.Branching, c.LeafCapacity, c.MaxEntries, c.ScanLimit} {
		b = binary.LittleEndian.AppendUint32(b, uint32(v))
	}
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(c.Threshold))
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(t.threshold))
	return binary.LittleEndian.AppendUint64(b, uint64(t.nextID))
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

// slotSize is how many bytes appendSlot appends.
func (f *features) slotSize(slot int32) int {
	if f.moments[slot].narrow {
		return momentsSize + 4*f.dim
	}
	return momentsSize + 8*f.dim
}

func (f *features) appendSlot(b []byte, slot int32) []byte {
	m := &f.moments[slot]
	narrow := byte(0)
	if m.narrow {
		narrow = 1
	}
	b = append(b, narrow)
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
