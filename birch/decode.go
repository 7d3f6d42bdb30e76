package birch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"slices"
)

// Decode returns the tree that AppendBinary wrote. Bytes that are not exactly
// such a tree are an error that says where they fail; memory stays within a small
// multiple of len(b) and of the vectors' length.
func Decode(b []byte) (*Tree, error) {
	body, err := unwrap(b)
	if err != nil {
		return nil, fmt.Errorf("decoding tree: %w", err)
	}
	d := decoder{rest: body}
	if err := d.decode(); err != nil {
		return nil, fmt.Errorf("decoding tree: byte %d: %w", len(b)-crcSize-len(d.rest), err)
	}
	return d.tree, nil
}

// unwrap checks what is around the body.
func unwrap(b []byte) ([]byte, error) {
	last := len(magic) - 1
	switch {
	case len(b) < headerSize+crcSize:
		return nil, fmt.Errorf("%d bytes are too few", len(b))
	case string(b[:last]) != magic[:last]:
		return nil, errors.New("the magic bytes of a tree are missing")
	case b[last] != magic[last]:
		return nil, fmt.Errorf("the tree is in version %d of the format, and this program reads version %d", b[last], magic[last])
	}
	body := b[headerSize : len(b)-crcSize]
	if said := binary.LittleEndian.Uint64(b[len(magic):]); said != uint64(len(body)) {
		return nil, fmt.Errorf("the body has %d bytes, want %d", len(body), said)
	}
	said := binary.LittleEndian.Uint32(b[len(b)-crcSize:])
	if sum := crc32.Checksum(b[:len(b)-crcSize], castagnoli); sum != said {
		return nil, fmt.Errorf("the checksum is %08x, want %08x", sum, said)
	}
	return body, nil
}

// A decoder reads a body from front to back.
type decoder struct {
	rest   []byte
	tree   *Tree
	height int
	// mean and row hold the feature read last.
	mean []float64
	row  []float32
}

// errShort says that the body ended early.
var errShort = errors.New("the body ends early")

// take returns the next n bytes.
func (d *decoder) take(n int) ([]byte, error) {
	if len(d.rest) < n {
		return nil, errShort
	}
	taken := d.rest[:n]
	d.rest = d.rest[n:]
	return taken, nil
}

func (d *decoder) uint32() (uint32, error) {
	b, err := d.take(4)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(b), nil
}

func (d *decoder) decode() error {
	s, err := d.settings()
	if err != nil {
		return err
	}
	t := d.tree
	if err := d.roster(&t.entries, int(s.Entries)); err != nil {
		return err
	}
	t.leaves = slices.Repeat([]int32{none}, t.Len())
	if err := d.roster(&t.spill, int(s.Spilled)); err != nil {
		return fmt.Errorf("spilled %w", err)
	}
	if err := d.nodes(); err != nil {
		return err
	}
	if len(d.rest) != 0 {
		return fmt.Errorf("%d bytes are left over", len(d.rest))
	}
	return d.checkTotals()
}

// settings reads what stands before the entries and begins the tree.
func (d *decoder) settings() (s settings, err error) {
	b, err := d.take(settingsSize)
	if err != nil {
		return s, err
	}
	if _, err := binary.Decode(b, binary.LittleEndian, &s); err != nil {
		return s, fmt.Errorf("settings: %w", err)
	}
	c := s.config()
	if err := c.validate(); err != nil {
		return s, err
	}
	if err := c.validateThreshold(s.ThresholdNow); err != nil {
		return s, fmt.Errorf("now: %w", err)
	}
	if s.DelaySplits > 1 {
		return s, fmt.Errorf("DelaySplits is %d, want 0 or 1", s.DelaySplits)
	}
	fitting := len(d.rest) / entrySize(c.Dim)
	if int64(s.Entries) > int64(min(c.MaxEntries, fitting)) || int64(s.Spilled) > int64(min(c.SpillLimit, fitting)) {
		return s, fmt.Errorf("%d entries and %d spilled ones are too many", s.Entries, s.Spilled)
	}
	d.tree = newTree(c, s.ThresholdNow)
	d.tree.nextID = ID(s.NextID)
	d.height = int(s.Height)
	return s, nil
}

// config returns the configuration among settings.
func (s *settings) config() Config {
	return Config{
		Criterion: Criterion(s.Criterion), Distance: Distance(s.Distance),
		DelaySplits: s.DelaySplits == 1,
		MinCosine:   s.MinCosine, OutlierShare: s.OutlierShare,
		Threshold: s.Threshold,
		Dim:       int(s.Dim), Branching: int(s.Branching), LeafCapacity: int(s.LeafCapacity),
		MaxEntries: int(s.MaxEntries), ScanLimit: int(s.ScanLimit), SpillLimit: int(s.SpillLimit),
		MaxBytes: s.MaxBytes,
	}
}

// entrySize is the least number of bytes of an entry.
func entrySize(dim int) int { return 8 + momentsSize + 4*dim }

// nodeSize is the least number of bytes of a node other than the root.
func (d *decoder) nodeSize() int { return momentsSize + 4*d.tree.config.Dim + 4 }

// roster reads entries into r.
func (d *decoder) roster(r *roster, count int) error {
	r.reserve(count)
	for slot := range count {
		b, err := d.take(8)
		if err != nil {
			return err
		}
		id := ID(binary.LittleEndian.Uint64(b))
		if _, _, twice := d.tree.find(id); twice || id == 0 || id >= d.tree.nextID {
			return fmt.Errorf("entry %d has the id %d, given already or not yet", slot, id)
		}
		f, err := d.feature()
		if err != nil {
			return fmt.Errorf("entry %d: %w", slot, err)
		}
		r.enrol(&f, id)
	}
	return nil
}

// feature reads a feature, which is valid until the next one is read.
func (d *decoder) feature() (feature, error) {
	b, err := d.take(momentsSize)
	if err != nil {
		return feature{}, err
	}
	n := math.Float64frombits(binary.LittleEndian.Uint64(b[1:]))
	s := math.Float64frombits(binary.LittleEndian.Uint64(b[9:]))
	if b[0] > 1 {
		return feature{}, fmt.Errorf("its kind is %d, want 0 or 1", b[0])
	}
	// What is inserted is at most maxWeight and maxVariance; its sum may be more.
	if !(n >= minWeight && n <= 0x1p40*maxWeight) {
		return feature{}, fmt.Errorf("its weight is %g", n)
	}
	if !(s >= 0 && s <= 4*maxVariance*n) {
		return feature{}, fmt.Errorf("its S is %g", s)
	}
	if err := d.readMean(b[0] == 1); err != nil {
		return feature{}, err
	}
	f := newFeature(n, s, d.row, d.mean, b[0] == 1)
	// A mean of vectors within the bound may be over it by some roundings.
	if !(f.norm2 <= 2*maxNorm2) {
		return feature{}, errors.New("its mean is not finite or too long")
	}
	return f, nil
}

// readMean reads a mean, of float32 values if it is narrow.
func (d *decoder) readMean(narrow bool) error {
	dim, size := d.tree.config.Dim, 8
	if narrow {
		size = 4
	}
	b, err := d.take(size * dim)
	if err != nil {
		return err
	}
	if d.mean == nil {
		d.mean, d.row = make([]float64, dim), make([]float32, dim)
	}
	for i := range d.mean {
		if narrow {
			d.mean[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:])))
		} else {
			d.mean[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
		}
		d.row[i] = float32(d.mean[i])
	}
	return nil
}

// nodes reads the nodes level by level.
func (d *decoder) nodes() error {
	t := d.tree
	t.root = 0
	level := []int32{none} // the parent of each node of the level
	for depth := range d.height + 1 {
		var next []int32
		for _, parent := range level {
			children, err := d.node(parent, depth == d.height)
			if err != nil {
				return fmt.Errorf("node %d: %w", len(t.nodes), err)
			}
			if (len(next)+children)*d.nodeSize() > len(d.rest) {
				return errShort
			}
			next = append(next, slices.Repeat([]int32{int32(len(t.nodes) - 1)}, children)...)
		}
		level = next
	}
	return nil
}

// node reads a node and returns the number of its children that are nodes.
func (d *decoder) node(parent int32, leaf bool) (children int, err error) {
	t := d.tree
	if parent != none {
		at := int32(len(t.nodes))
		t.nodes[parent].children = append(t.nodes[parent].children, at)
		f, err := d.feature()
		if err != nil {
			return 0, err
		}
		t.centres.add(&f)
		t.nodes = append(t.nodes, node{parent: parent, leaf: leaf})
	} else {
		t.addNode(leaf)
	}
	n := &t.nodes[len(t.nodes)-1]
	count, err := d.uint32()
	if err != nil {
		return 0, err
	}
	empty := parent == none && leaf && t.Len() == 0
	if int64(count) > int64(t.capacity(n)) || (count == 0) != empty {
		return 0, fmt.Errorf("it has %d children", count)
	}
	if !leaf {
		return int(count), nil
	}
	return 0, d.leafChildren(n, int(count))
}

// leafChildren reads the slots of a leaf's entries.
func (d *decoder) leafChildren(n *node, count int) error {
	t := d.tree
	b, err := d.take(4 * count)
	if err != nil {
		return err
	}
	for i := range count {
		slot := binary.LittleEndian.Uint32(b[4*i:])
		if int64(slot) >= int64(t.Len()) || t.leaves[slot] != none {
			return fmt.Errorf("it holds entry %d, which is held already or does not exist", slot)
		}
		t.leaves[slot] = int32(len(t.nodes) - 1)
		n.children = append(n.children, int32(slot))
	}
	return nil
}

// checkTotals checks that every entry is in a leaf and that every node weighs as
// much as its children.
func (d *decoder) checkTotals() error {
	t := d.tree
	if slot := slices.Index(t.leaves, none); slot >= 0 {
		return fmt.Errorf("entry %d is in no leaf", slot)
	}
	for at := range t.nodes {
		n := &t.nodes[at]
		var sum float64
		for _, child := range n.children {
			sum += t.below(n).moments[child].n
		}
		// Sums of decayed weights depend on their order, by some roundings.
		if said := t.centres.moments[at].n; int32(at) != t.root && math.Abs(said-sum) > 1e-6*sum {
			return fmt.Errorf("node %d has the weight %g, its children %g", at, said, sum)
		}
	}
	return nil
}
