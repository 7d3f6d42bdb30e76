package birch

import "math"

// A rebuild aims at leaving between these shares of MaxEntries: few enough that
// the next rebuild is far off, and not many fewer, since what is joined stays so.
const (
	mostKept  = 0.75
	leastKept = 0.5
	// maxBisections bounds the search for a threshold between one that keeps
	// too many entries and one that keeps too few.
	maxBisections = 6
)

// rebuild makes room: it moves outliers out, shrinks the tree if that is not enough
// and tries again what is spilled. It returns what was joined.
func (t *Tree) rebuild() []Merge {
	t.spillOutliers()
	var merges []Merge
	if t.isTooLarge() {
		merges = t.shrink()
	}
	return append(merges, t.retry()...)
}

// shrink raises the threshold and inserts the entries into a new tree, which takes
// the place of the old one. It returns what was joined.
//
// BIRCH and BETULA raise the threshold by an estimate alone. Where the vectors
// have many dimensions their distances are nearly the same, and a little too high
// a threshold joins everything; so the estimate is followed by a bisection.
func (t *Tree) shrink() []Merge {
	least := int(leastKept * float64(t.config.MaxEntries))
	low, guess := t.threshold, t.raisedThreshold()
	next, merges := t.regrown(guess, t.scratch.spare)
	t.scratch.spare = features{}
	for next.isTooLarge() {
		low, guess = guess, next.raisedThreshold()
		next, merges = t.regrown(guess, next.entries.features)
	}
	high, spare := guess, features{}
	for tries := 0; next.Len() < least && tries < maxBisections; tries++ {
		middle := low + (high-low)/2
		tree, joined := t.regrown(middle, spare)
		spare = tree.entries.features
		if tree.isTooLarge() {
			low = middle
			continue
		}
		high = middle
		if tree.Len() >= next.Len() {
			spare = next.entries.features
			next, merges = tree, joined
		}
	}
	spare = t.entries.features
	*t = *next
	if t.config.MaxBytes == 0 {
		t.scratch.spare = spare
	}
	return merges
}

// regrown returns a tree of the same entries with another threshold, and what
// was joined on the way. It shares t's scratch buffers and keeps its entries in
// the memory of spare, which nothing else may need.
func (t *Tree) regrown(threshold float64, spare features) (*Tree, []Merge) {
	next := newTree(t.config, threshold)
	next.nextID, next.spill, next.scratch = t.nextID, t.spill, t.scratch
	next.root = next.addNode(true)
	next.entries.reuse(spare)
	next.entries.reserve(t.Len())
	next.Expect(t.rows())
	var merges []Merge
	for slot, id := range t.entries.ids {
		f := t.entries.at(int32(slot))
		if m, joined := next.reinsert(&f, id); joined {
			merges = append(merges, m)
		}
	}
	next.Expect(nil)
	t.scratch = next.scratch
	return next, merges
}

// rows returns the means of all entries.
func (t *Tree) rows() [][]float32 {
	rows := make([][]float32, t.Len())
	for slot := range rows {
		rows[slot] = t.entries.row(int32(slot))
	}
	return rows
}

// reinsert places an entry of an older tree, and reports whether another entry
// absorbed it.
func (t *Tree) reinsert(x *feature, id ID) (m Merge, joined bool) {
	slot, absorbs := t.lookup(x)
	if !absorbs {
		t.create(slot, x, id)
		return Merge{}, false
	}
	return t.join(slot, x, id), true
}

// join adds an entry x to another, and gives the id of the heavier one to both.
func (t *Tree) join(slot int32, x *feature, id ID) Merge {
	to, n := t.entries.ids[slot], t.entries.moments[slot].n
	t.absorb(slot, x)
	if n > x.n || n == x.n && to < id {
		return Merge{From: id, To: to}
	}
	t.entries.rename(slot, id)
	return Merge{From: to, To: id}
}

// raisedThreshold returns an estimate for the next tree: the mean, over all
// entries, of the threshold at which an entry and the nearest other one of its
// leaf join, which about halves the tree (the rule of BETULA's implementation in
// ELKI, after Zhang, Ramakrishnan and Livny 1997). It is at least a tenth more than
// before and, to get away from 0, a thousandth of the whole stream's spread, so
// a sequence of rebuilds ends.
func (t *Tree) raisedThreshold() float64 {
	var sum, count float64
	// In the order of the tree, not of the nodes' numbers, which a decoded tree
	// does not share: the order of a sum decides its last bit.
	levels := t.levels()
	for _, at := range levels[len(levels)-1] {
		if n := &t.nodes[at]; len(n.children) > 1 {
			for place := range n.children {
				sum += math.Sqrt(max(0, t.joinsNeighbour(n, place)))
				count++
			}
		}
	}
	raised := max(1.1*t.threshold, t.spread()/1024)
	if count > 0 {
		raised = max(raised, sum/count)
	}
	if t.config.Criterion == Cosine {
		raised = min(raised, maxCosineThreshold)
	}
	return raised
}

// joinsNeighbour returns the squared threshold at which the child at a place of
// a leaf and the nearest of its siblings join.
func (t *Tree) joinsNeighbour(leaf *node, place int) float64 {
	t.scratch.others = append(t.scratch.others[:0], leaf.children[:place]...)
	t.scratch.others = append(t.scratch.others, leaf.children[place+1:]...)
	x := t.entries.at(leaf.children[place])
	near := t.entries.at(t.nearestOf(&t.entries.features, t.scratch.others, &x))
	return t.measure.joined(&near.moments, &x.moments, t.measure.separation(&near, &x))
}

// spread returns a threshold at which nearly everything joins: the radius or the
// diameter of the whole stream, or the cosine 0.
func (t *Tree) spread() float64 {
	if t.config.Criterion == Cosine {
		return maxCosineThreshold
	}
	all := features{dim: t.config.Dim}
	for slot := range t.entries.ids {
		f := t.entries.at(int32(slot))
		if slot == 0 {
			all.add(&f)
		} else {
			all.merge(0, &f)
		}
	}
	m := &all.moments[0]
	if t.config.Criterion == Diameter {
		return math.Sqrt(diameter2(m.n, m.s))
	}
	return math.Sqrt(m.s / m.n)
}
