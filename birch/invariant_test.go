package birch

import (
	"math"

	"pgregory.net/rapid"
)

// checkInvariants fails unless the tree is whole: every link has its inverse,
// leaves are equally deep, nothing is over capacity, and the feature of every
// inner entry is the sum of those below it.
func checkInvariants(t rapid.TB, tree *Tree) {
	t.Helper()
	if tree.Len() > tree.config.MaxEntries || tree.spill.len() > tree.config.SpillLimit {
		t.Fatalf("%d and %d entries, at most %d and %d are allowed", tree.Len(), tree.spill.len(), tree.config.MaxEntries, tree.config.SpillLimit)
	}
	if most := tree.config.maxNodes(); tree.config.MaxBytes > 0 && len(tree.nodes) > most {
		t.Fatalf("%d nodes, at most %d are allowed", len(tree.nodes), most)
	}
	if len(tree.leaves) != tree.Len() {
		t.Fatalf("%d entries have %d leaves", tree.Len(), len(tree.leaves))
	}
	checkRoster(t, &tree.entries, tree.nextID)
	checkRoster(t, &tree.spill, tree.nextID)
	nodes, entries := 0, 0
	for _, level := range tree.levels() {
		for _, at := range level {
			nodes++
			if n := &tree.nodes[at]; n.leaf {
				entries += len(n.children)
			}
			checkNode(t, tree, at, tree.nodes[level[0]].leaf)
		}
	}
	if nodes != len(tree.nodes) || entries != tree.Len() {
		t.Fatalf("%d of %d nodes and %d of %d entries can be reached", nodes, len(tree.nodes), entries, tree.Len())
	}
}

func checkRoster(t rapid.TB, r *roster, nextID ID) {
	t.Helper()
	if len(r.ids) != r.len() || len(r.slots) != r.len() {
		t.Fatalf("%d entries have %d ids, %d slots", r.len(), len(r.ids), len(r.slots))
	}
	for slot, id := range r.ids {
		if r.slots[id] != int32(slot) || id == 0 || id >= nextID {
			t.Fatalf("slot %d has the id %d, which has the slot %d", slot, id, r.slots[id])
		}
		checkFeature(t, r.at(int32(slot)))
	}
}

func checkFeature(t rapid.TB, f feature) {
	t.Helper()
	if again := newFeature(f.n, f.s, f.row, f.mean, f.narrow); again.moments != f.moments || !(f.s >= 0) {
		t.Fatalf("moments %v, computed anew %v", f.moments, again.moments)
	}
	for i, v := range f.mean {
		if f.row[i] != float32(v) {
			t.Fatalf("value %d of a mean is %g, in its row %g", i, v, f.row[i])
		}
	}
}

func checkNode(t rapid.TB, tree *Tree, at int32, leaf bool) {
	t.Helper()
	n := &tree.nodes[at]
	if n.leaf != leaf || len(n.children) > tree.capacity(n) || len(n.children) == 0 && tree.Len() > 0 {
		t.Fatalf("node %d: leaf %v, %d children", at, n.leaf, len(n.children))
	}
	sum := features{dim: tree.config.Dim}
	for _, child := range n.children {
		f := tree.below(n).at(child)
		if len(sum.moments) == 0 {
			sum.add(&f)
		} else {
			sum.merge(0, &f)
		}
		if n.leaf && tree.leaves[child] != at || !n.leaf && tree.nodes[child].parent != at {
			t.Fatalf("child %d of node %d has another parent", child, at)
		}
	}
	if at == tree.root {
		if n.parent != none {
			t.Fatalf("the root has the parent %d", n.parent)
		}
		return
	}
	checkFeature(t, tree.centres.at(at))
	checkSame(t, tree.centres.at(at), sum.at(0))
}

// checkSame fails unless two features are the same but for rounding.
func checkSame(t rapid.TB, got, want feature) {
	t.Helper()
	scale := 1 + want.norm + math.Sqrt(want.s/want.n)
	if math.Abs(got.n-want.n) > 1e-12*want.n || math.Abs(got.s-want.s) > 1e-9*want.n*scale*scale {
		t.Fatalf("n and S are %g and %g, want %g and %g", got.n, got.s, want.n, want.s)
	}
	for i := range want.mean {
		if math.Abs(got.mean[i]-want.mean[i]) > 1e-9*scale {
			t.Fatalf("value %d of the mean is %g, want %g", i, got.mean[i], want.mean[i])
		}
	}
}
