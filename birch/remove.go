package birch

import (
	"fmt"
	"slices"
)

// weightSlack is the share of a removed weight that may be missing or be left over
// by rounding.
const weightSlack = 1e-6

// Remove takes one vector out of the entry with an id: the weight 1 and what x
// added to the mean and S leave the entry's feature and those above it, the inverse
// of what Insert did. The entry ends with its last vector.
//
// Whether x is among the entry's vectors cannot be seen from the feature, so it is
// for the caller to know; S does not fall below 0. An id without entry, a vector
// that Insert would refuse, an entry of less than the weight 1 and a mean that would
// end up beyond what vectors can have are errors and leave the tree as it was.
func (t *Tree) Remove(id ID, x []float32) error { return t.RemoveWeighted(id, x, 1) }

// RemoveWeighted is Remove for a vector of another weight than 1: what was inserted
// before a [Tree.Decay] weighs the product of the factors since.
func (t *Tree) RemoveWeighted(id ID, x []float32, weight float64) error {
	f, err := t.vector(x, t.meanBuffer())
	if err != nil {
		return fmt.Errorf("removing vector: %w", err)
	}
	r, slot, ok := t.find(id)
	if !ok {
		return fmt.Errorf("removing vector: there is no entry %d", id)
	}
	n := r.moments[slot].n
	if !(weight >= minWeight && n >= weight*(1-weightSlack)) {
		return fmt.Errorf("removing vector: entry %d weighs %g, from which %g cannot be taken", id, n, weight)
	}
	if n-weight <= weightSlack*weight || n-weight < minWeight {
		t.end(r, slot)
		return nil
	}
	f.n = weight
	return t.lighten(r, slot, &f)
}

// end takes an entry out of the tree or the spill.
func (t *Tree) end(r *roster, slot int32) {
	if r == &t.spill {
		r.strike(slot)
		return
	}
	t.sumUpwards(t.unlink(slot))
	t.shrinkRoot()
}

// lighten takes x out of an entry that is heavier.
func (t *Tree) lighten(r *roster, slot int32, x *feature) error {
	left := features{dim: t.config.Dim}
	entry := r.at(slot)
	left.add(&entry)
	left.remove(0, x)
	// A mean of vectors within the bound may be over it by some roundings.
	if !(left.moments[0].norm2 <= 2*maxNorm2) {
		return fmt.Errorf("removing vector: it is not among those of entry %d, whose mean would be too long", r.ids[slot])
	}
	r.moments[slot] = left.moments[0]
	copy(entry.row, left.rows)
	copy(entry.mean, left.means)
	if r == &t.entries {
		t.hasChanged(slot)
		t.sumUpwards(t.leaves[slot])
	}
	return nil
}

// unlink takes an entry out of the tree, and the nodes that thereby have no
// children. It returns the lowest node left above it; the centres from there upwards
// are still to be summed up, and the root to be shrunk.
func (t *Tree) unlink(slot int32) int32 {
	t.Expect(nil)
	leaf, last := t.leaves[slot], int32(t.Len()-1)
	t.removeChild(leaf, slot)
	if slot != last {
		t.replaceChild(t.leaves[last], last, slot)
		t.leaves[slot] = t.leaves[last]
	}
	t.leaves = t.leaves[:last]
	t.entries.strike(slot)
	return t.prune(leaf)
}

// prune takes out a node without children, and those above it that thereby have
// none. It returns the lowest node left.
func (t *Tree) prune(at int32) int32 {
	for at != t.root && len(t.nodes[at].children) == 0 {
		parent := t.nodes[at].parent
		t.removeChild(parent, at)
		t.dropNode(at)
		if parent == int32(len(t.nodes)) {
			parent = at // the parent was the last node, and has moved
		}
		at = parent
	}
	if n := &t.nodes[at]; len(n.children) == 0 {
		n.leaf = true
	}
	return at
}

// dropNode takes out a node that nothing refers to. The last node takes its number.
func (t *Tree) dropNode(at int32) {
	last := int32(len(t.nodes) - 1)
	if at != last {
		t.nodes[at] = t.nodes[last]
		n := &t.nodes[at]
		for _, child := range n.children {
			t.setParent(n, child, at)
		}
		if last == t.root {
			t.root = at
		} else {
			t.replaceChild(n.parent, last, at)
		}
	}
	t.nodes[last] = node{}
	t.nodes = t.nodes[:last]
	t.centres.moveLast(at)
}

func (t *Tree) removeChild(at, child int32) {
	n := &t.nodes[at]
	place := slices.Index(n.children, child)
	n.children = slices.Delete(n.children, place, place+1)
}

func (t *Tree) replaceChild(at, child, by int32) {
	children := t.nodes[at].children
	children[slices.Index(children, child)] = by
}

// shrinkRoot takes out the root while it is an inner node with a single child.
func (t *Tree) shrinkRoot() {
	for {
		old := t.root
		n := &t.nodes[old]
		if n.leaf || len(n.children) != 1 {
			return
		}
		t.root = n.children[0]
		t.nodes[t.root].parent = none
		t.centres.moments[t.root] = moments{}
		n.children = nil
		t.dropNode(old)
	}
}

// sumUpwards makes the centre of a node and of all above it, but for the root, the
// sum of their children. Subtracting would be cheaper, and would leave the
// roundings of heavy vectors with what remains.
func (t *Tree) sumUpwards(at int32) {
	for ; at != t.root; at = t.nodes[at].parent {
		t.sumUp(at)
	}
}
