package birch

import "math"

// A tree takes memory for its entries and its nodes, and both alike for the float32
// and the float64 values of their means. With Config.MaxBytes the numbers of both are
// bounded: that of nodes by what leaves a quarter full would need.
const (
	meanBytes = 4 + 8 // a value of a mean
	// entryBytes is what an entry takes beside its mean: 40 for the moments, 12 for
	// the id and the leaf, up to 48 in the map of ids, 8 as a child, and room to
	// compare it with 32 expected vectors and one more.
	entryBytes = 256
	// nodeBytes is what a node takes beside its mean and its children.
	nodeBytes = 96
	// childBytes is what a place for a child takes, children growing by doubling.
	childBytes = 8
	// leastNodes is the bound of nodes of the smallest tree.
	leastNodes = 8
	// atOnce is the number of trees during a rebuild: the old one, the best of the
	// new ones so far and one being tried.
	atOnce = 3
)

// maxNodes is the most nodes of a tree with MaxBytes, or the most there can be.
func (c Config) maxNodes() int {
	if c.MaxBytes == 0 {
		return math.MaxInt32
	}
	return leastNodes + 4*c.MaxEntries/min(c.Branching, c.LeafCapacity)
}

// fitting returns how many entries surely fit into MaxBytes, at most maxEntries.
func (c Config) fitting() int {
	if c.Dim < 1 || c.Branching < 2 || c.LeafCapacity < 2 {
		return maxEntries // validate names the field
	}
	entry := int64(meanBytes*c.Dim + entryBytes)
	node := int64(meanBytes*c.Dim + nodeBytes + childBytes*(max(c.Branching, c.LeafCapacity)+1))
	left := c.MaxBytes - int64(c.SpillLimit)*entry - atOnce*leastNodes*node
	each := entry + 4*node/int64(min(c.Branching, c.LeafCapacity)) + 1
	return int(max(0, min(maxEntries, left/(atOnce*each))))
}

// isFull reports whether there may be no entry more.
func (t *Tree) isFull() bool {
	return t.Len() >= t.config.MaxEntries || t.hasTooManyNodes(t.height()+2)
}

// hasTooManyNodes reports whether MaxBytes does not allow for a number of nodes more.
func (t *Tree) hasTooManyNodes(more int) bool {
	return len(t.nodes)+more > t.config.maxNodes()
}

// isTooLarge reports whether a rebuilt tree leaves too little room to grow.
func (t *Tree) isTooLarge() bool {
	if t.Len() > max(1, int(mostKept*float64(t.config.MaxEntries))) {
		return true
	}
	return t.hasTooManyNodes(t.config.maxNodes()/4) || t.isFull()
}

// height returns the number of levels of inner nodes.
func (t *Tree) height() (levels int) {
	for n := &t.nodes[t.root]; !n.leaf; n = &t.nodes[n.children[0]] {
		levels++
	}
	return levels
}
