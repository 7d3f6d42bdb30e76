package birch

import (
	"math"

	"starling/vec"
)

// splitUpwards splits a node that is over its capacity, and those above it that
// thereby come to be.
func (t *Tree) splitUpwards(at int32) {
	for at != none && len(t.nodes[at].children) > t.capacity(&t.nodes[at]) {
		t.split(at)
		at = t.nodes[at].parent
	}
}

func (t *Tree) capacity(n *node) int {
	if n.leaf {
		return t.config.LeafCapacity
	}
	return t.config.Branching
}

// split divides the children of a node between it and a new one beside it. The
// two children farthest from each other are the seeds; every other one goes to
// the closer seed, to the second if neither is closer, in the order they had.
func (t *Tree) split(at int32) {
	children := t.nodes[at].children
	below := t.below(&t.nodes[at])
	seed1, seed2 := t.farthest(below, children)
	var first, second []int32
	for _, child := range children {
		if child == seed1 || child != seed2 && t.closer(below, child, seed1, seed2) {
			first = append(first, child)
		} else {
			second = append(second, child)
		}
	}
	if at == t.root {
		t.growRoot()
	}
	beside := t.addNode(t.nodes[at].leaf)
	t.fill(at, first)
	t.fill(beside, second)
	parent := t.nodes[at].parent
	t.nodes[beside].parent = parent
	t.nodes[parent].children = append(t.nodes[parent].children, beside)
}

// growRoot puts a new root above the old one.
func (t *Tree) growRoot() {
	old := t.root
	t.root = t.addNode(false)
	t.nodes[old].parent = t.root
	t.nodes[t.root].children = []int32{old}
}

// fill gives a node its children and makes its centre their sum.
func (t *Tree) fill(at int32, children []int32) {
	n := &t.nodes[at]
	n.children = children
	for _, child := range children {
		t.setParent(n, child, at)
	}
	t.sumUp(at)
}

// setParent tells a child of a node what number the node has.
func (t *Tree) setParent(n *node, child, at int32) {
	if n.leaf {
		t.leaves[child] = at
	} else {
		t.nodes[child].parent = at
	}
}

// sumUp makes the centre of a node the sum of its children.
func (t *Tree) sumUp(at int32) {
	n := &t.nodes[at]
	below := t.below(n)
	t.centres.moments[at] = moments{}
	for _, child := range n.children {
		f := below.at(child)
		t.centres.merge(at, &f)
	}
}

// farthest returns the pair of slots with the greatest dissimilarity, of several
// the first when pairs are ordered by the place of their first, then their second.
func (t *Tree) farthest(f *features, slots []int32) (a, b int32) {
	highs := t.scratch.split[:0]
	greatest := math.Inf(-1)
	for i, a := range slots {
		row, m := f.row(a), &f.moments[a]
		for _, b := range slots[i+1:] {
			d, bound := t.measure.rough(vec.Dot(row, f.row(b)), m, &f.moments[b])
			highs = append(highs, d+bound)
			greatest = max(greatest, d-bound)
		}
	}
	t.scratch.split = highs
	exact := math.Inf(-1)
	for i, first := range slots {
		for _, second := range slots[i+1:] {
			if highs[0] >= greatest {
				x, y := f.at(first), f.at(second)
				if d := t.measure.exact(&x, &y); d > exact {
					exact, a, b = d, first, second
				}
			}
			highs = highs[1:]
		}
	}
	return a, b
}

// closer reports whether a slot is closer to the first seed than to the second.
func (t *Tree) closer(f *features, slot, seed1, seed2 int32) bool {
	x, y, z := f.at(slot), f.at(seed1), f.at(seed2)
	d1, bound1 := t.measure.rough(vec.Dot(x.row, y.row), &x.moments, &y.moments)
	d2, bound2 := t.measure.rough(vec.Dot(x.row, z.row), &x.moments, &z.moments)
	if math.Abs(d1-d2) > bound1+bound2 {
		return d1 < d2
	}
	return t.measure.exact(&x, &y) < t.measure.exact(&x, &z)
}
