package birch

import (
	"fmt"
	"iter"
	"math"
	"slices"

	"starling/vec"
)

// An ID names a leaf entry for ever: ids are given out from 1 upwards and never
// used again.
type ID uint64

// A Tree is a CF-tree. Its methods that change nothing (Entries, Entry, Len,
// Nearest, AppendBinary and the like) may run side by side; Expect, Insert and the
// others that change it need the tree to themselves.
type Tree struct {
	config    Config
	measure   measure
	threshold float64
	nextID    ID

	// entries are the leaf entries; leaves, the leaf node of each, run along with
	// them.
	entries roster
	leaves  []int32
	// spill are the entries beside the tree, at most config.SpillLimit.
	spill roster

	// nodes are the nodes, and centres the sums of what is below each; that of
	// the root, which nothing needs, stays zero.
	nodes   []node
	centres features
	root    int32

	scratch scratch
}

// A node is an inner node or a leaf of the tree. All leaves are equally deep.
type node struct {
	// parent is the number of the node above, none at the root.
	parent int32
	leaf   bool
	// children are the numbers of nodes, or in a leaf the slots of entries. The
	// order matters: of equally near children the first is taken.
	children []int32
}

// none is the parent of the root.
const none = -1

// scratch holds what Insert uses again and again, none of it state: buffers, and
// the vectors that are expected.
type scratch struct {
	mean    []float64
	dots    []float32
	ranking ranking
	split   []float64
	others  []int32
	// spare is the memory of a tree that ended, for the next rebuild; none where
	// memory is bounded.
	spare    features
	expected expectation
}

// New returns an empty tree. An error names the field of config that is out of
// its bounds.
func New(config Config) (*Tree, error) {
	config = config.withDefaults()
	if err := config.validate(); err != nil {
		return nil, fmt.Errorf("checking tree configuration: %w", err)
	}
	t := newTree(config, config.Threshold)
	t.root = t.addNode(true)
	return t, nil
}

// newTree returns a tree without any node, not even a root.
func newTree(config Config, threshold float64) *Tree {
	return &Tree{
		config:    config,
		measure:   newMeasure(config),
		threshold: threshold,
		nextID:    1,
		entries:   newRoster(config.Dim, config.MaxEntries),
		spill:     newRoster(config.Dim, config.SpillLimit),
		centres:   features{dim: config.Dim},
	}
}

// Config returns what the tree was made with, defaults filled in.
func (t *Tree) Config() Config { return t.config }

// Threshold returns the current threshold: Config.Threshold, what a rebuild raised
// it to, or what SetThreshold set.
func (t *Tree) Threshold() float64 { return t.threshold }

// Len returns the number of leaf entries.
func (t *Tree) Len() int { return t.entries.len() }

// An Entry is a leaf entry, or a spilled one: the number N of its vectors, their mean, and the sum S
// of their squared distances from it. The radius is sqrt(S/N). After a Decay all
// three are weighted, and N is the sum of the weights.
type Entry struct {
	ID ID
	N  float64
	// Mean is a view of the tree's memory, to be read only, valid until the
	// tree changes.
	Mean []float32
	S    float64
}

// Entries yields the leaf entries in the order of creation, an entry that others
// joined standing where the first of them stood, and the last one taking the place
// of one that is taken out.
func (t *Tree) Entries() iter.Seq[Entry] { return t.entries.all() }

// Entry returns the leaf entry or spilled entry with an id, and whether there is one.
func (t *Tree) Entry(id ID) (Entry, bool) {
	r, slot, ok := t.find(id)
	if !ok {
		return Entry{}, false
	}
	return r.entry(slot), true
}

// find returns where the entry with an id is, and whether there is one.
func (t *Tree) find(id ID) (r *roster, slot int32, ok bool) {
	r = &t.entries
	if slot, ok = r.slots[id]; !ok {
		r = &t.spill
		slot, ok = r.slots[id]
	}
	return r, slot, ok
}

// The bounds of what is inserted and of what decay leaves.
const (
	// maxNorm2 is the greatest squared norm of a vector: float32 dot products of
	// such vectors do not overflow.
	maxNorm2 = 0x1p120
	// maxVariance bounds S/n: two vectors are at most 2*sqrt(maxNorm2) apart.
	maxVariance = 4 * maxNorm2
	// maxWeight is the greatest weight of an entry that is inserted.
	maxWeight = 0x1p53
	// minWeight is the least weight of an entry; decay stops there.
	minWeight = 0x1p-100
)

// vector returns x as a feature of one vector, using mean for its float64 copy.
func (t *Tree) vector(x []float32, mean []float64) (feature, error) {
	if len(x) != t.config.Dim {
		return feature{}, fmt.Errorf("it has %d values, the tree's vectors have %d", len(x), t.config.Dim)
	}
	mean = mean[:len(x)] // once, not for each value
	for i, v := range x {
		mean[i] = float64(v)
	}
	f := newFeature(1, 0, x, mean, true)
	if !(f.norm2 <= maxNorm2) {
		return feature{}, explainNorm(x)
	}
	if t.config.Criterion == Cosine && f.norm2 == 0 {
		return feature{}, fmt.Errorf("it is zero, which has no cosine")
	}
	return f, nil
}

// explainNorm says what is wrong with a vector whose norm is not a number or
// too great.
func explainNorm(x []float32) error {
	for i, v := range x {
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Errorf("value %d is %g", i, v)
		}
	}
	return fmt.Errorf("its norm is over 2^60")
}

// addNode adds a node without parent or children and returns its number.
func (t *Tree) addNode(leaf bool) int32 {
	t.nodes = append(t.nodes, node{parent: none, leaf: leaf})
	t.centres.grow(t.config.maxNodes())
	t.centres.moments = append(t.centres.moments, moments{})
	t.centres.rows = append(t.centres.rows, make([]float32, t.config.Dim)...)
	t.centres.means = append(t.centres.means, make([]float64, t.config.Dim)...)
	return int32(len(t.nodes) - 1)
}

// below returns the arena that the children of a node are numbers in.
func (t *Tree) below(n *node) *features {
	if n.leaf {
		return &t.entries.features
	}
	return &t.centres
}

// lookup returns the slot of the nearest entry, none in an empty tree, and
// whether that entry absorbs x.
func (t *Tree) lookup(x *feature) (slot int32, absorbs bool) {
	t.scratch.dots = t.scratch.dots[:0]
	switch {
	case t.Len() == 0:
		return none, false
	case t.Len() <= t.config.ScanLimit:
		slot = t.scan(x)
	default:
		slot = t.descend(x)
	}
	entry := t.entries.at(slot)
	return slot, t.measure.absorbs(&entry, x, t.threshold)
}

// scan compares x with every entry.
func (t *Tree) scan(x *feature) int32 {
	r := &t.scratch.ranking
	r.reset()
	far := t.measure.cutoff(&x.moments, r.least)
	for slot, dot := range t.dots(x) {
		entry := &t.entries.moments[slot]
		if far.leavesOut(dot, entry) {
			continue
		}
		d, bound := t.measure.rough(dot, &x.moments, entry)
		r.see(int32(slot), d, bound)
		far = t.measure.cutoff(&x.moments, r.least)
	}
	return r.first(t.measure, &t.entries.features, x)
}

// dots returns the dot products of x and all entries, valid until the next call.
func (t *Tree) dots(x *feature) []float32 {
	t.scratch.dots = append(t.scratch.dots[:0], t.expected(x.row)...)
	known := len(t.scratch.dots)
	dots := slices.Grow(t.scratch.dots, t.Len()-known)[:t.Len()]
	vec.DotRows(dots[known:], t.entries.rows[known*t.config.Dim:], x.row)
	t.scratch.dots = dots
	return dots
}

// descend goes down from the root by the nearest child.
func (t *Tree) descend(x *feature) int32 {
	at := t.root
	for {
		n := &t.nodes[at]
		at = t.nearestOf(t.below(n), n.children, x)
		if n.leaf {
			return at
		}
	}
}

// nearestOf returns which of some slots of f is nearest to x, of several the
// one that comes first.
func (t *Tree) nearestOf(f *features, slots []int32, x *feature) int32 {
	r := &t.scratch.ranking
	r.reset()
	far := t.measure.cutoff(&x.moments, r.least)
	for _, slot := range slots {
		dot, m := vec.Dot(f.row(slot), x.row), &f.moments[slot]
		if far.leavesOut(dot, m) {
			continue
		}
		d, bound := t.measure.rough(dot, &x.moments, m)
		r.see(slot, d, bound)
		far = t.measure.cutoff(&x.moments, r.least)
	}
	return r.first(t.measure, f, x)
}
