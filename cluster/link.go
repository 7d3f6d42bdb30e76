package cluster

import (
	"math"

	"starling/vec"
)

// A linkage says which micro-clusters belong together: average link over the
// documents in them (Sokal and Michener 1958), which comes straight from cluster
// features, since the mean cosine of all pairs of documents across two groups of
// unit vectors is the dot product of their means.
//
// What all documents have in common says nothing of two of them. So their mean is
// taken from the means first, as far as it accounts for no more than common, what
// unrelated texts have in common: a stream may be about one thing, and that stays.
//
// Size counts in two ways. The mean over few pairs says little: that of two single
// documents scatters as cosines do, that of na times nb pairs less. And two large
// groups are known for what they are: what they have in common may be no more than
// a field, by which average link would chain them together. So groups are joined
// while
//
//	mean a . mean b - evidence/sqrt(na*nb) - reserve*log10(min(na, nb)) >= cut
//
// the most alike first.
//
// Two features that are pinned are never joined, nor are groups that hold them.
type linkage struct{ common, cut, evidence, reserve float64 }

// plain returns the linkage for similarities that nothing was taken from, which
// are higher by what unrelated texts have in common.
func (l linkage) plain() linkage {
	l.common, l.cut = 0, l.cut+l.common
	return l
}

// A leaning is what the size of a group does to its scores.
type leaning struct {
	doubt   float64 // the group's factor of what few documents take off
	reserve float64 // what a large group takes off
}

// lean returns the leaning of a group of some documents.
func (l linkage) lean(weight float64) leaning {
	return leaning{doubt: math.Sqrt(l.evidence / weight), reserve: l.reserve * math.Log10(max(1, weight))}
}

// score is how much speaks for joining two groups.
func score(similarity float64, a, b leaning) float64 {
	return similarity - a.doubt*b.doubt - min(a.reserve, b.reserve)
}

// A features is what a linkage joins.
type features struct {
	dim int
	// weights holds the number of documents of each feature and means their
	// means, dim values each.
	weights []float64
	means   []float32
	// pinned says which are pinned; nil for none.
	pinned []bool
}

// add appends a feature.
func (f *features) add(weight float64, mean []float32) {
	f.weights = append(f.weights, weight)
	f.means = append(f.means, mean...)
}

// merge adds to feature i another one.
func (f *features) merge(i int, weight float64, mean []float32) {
	f.weights[i] += weight
	share := float32(weight / f.weights[i])
	for j, x := range mean {
		at := &f.means[i*f.dim+j]
		*at += share * (x - *at)
	}
}

// removeCommon takes from all means the mean of all documents, or what of it has
// at most a squared length.
func (f *features) removeCommon(most float64) {
	if most <= 0 {
		return
	}
	common, weight := make([]float64, f.dim), 0.0
	for i, w := range f.weights {
		weight += w
		for j, x := range f.means[i*f.dim : (i+1)*f.dim] {
			common[j] += float64(w * float64(x)) // not fused with the sum
		}
	}
	squared := 0.0
	for j := range common {
		common[j] /= weight
		squared += float64(common[j] * common[j])
	}
	share := 1.0
	if squared > most {
		share = math.Sqrt(most / squared)
	}
	for i := range f.weights {
		for j := range common {
			f.means[i*f.dim+j] -= float32(share * common[j])
		}
	}
}

// group joins features as long as the linkage allows and returns for each the
// number of its group: the index of the group's first feature. Of equally good
// joins the one with the smaller indices comes first. It changes the means.
func (l linkage) group(f features, r *room) []int {
	f.removeCommon(l.common)
	a := newAgglomeration(l, f, r)
	for a.step() {
	}
	groups := make([]int, len(f.weights))
	for i := range groups {
		groups[i] = a.first(i)
	}
	return groups
}

// An agglomeration is a run of [linkage.group]. Each group lives on at the index
// of its first feature. Of each pair of groups the later one knows the other
// (Müllner, Modern hierarchical, agglomerative clustering algorithms, 2011, has the
// generic algorithm).
type agglomeration struct {
	linkage
	n       int
	weights []float64
	// leanings are those of the weights; the doubt of groups that became part of
	// another is infinite.
	leanings []leaning
	// similarities holds the mean cosines of group i with those before it, i of them,
	// for one i after the other; -Inf for one that it may not be joined with: a mean
	// of that stays that.
	similarities []float32
	// best is the group before it that most speaks for joining, and bestScore how
	// much; -1 for groups that became part of parent, and for those that may be joined
	// with none.
	best      []int
	bestScore []float64
	parent    []int
	// joined holds the similarities of the group joined last with the others.
	joined []float32
	// last is the last join.
	last merging
}

// newAgglomeration begins one, which lasts until the next one in the same room.
func newAgglomeration(l linkage, f features, r *room) *agglomeration {
	n := len(f.weights)
	a := &agglomeration{
		linkage: l, n: n,
		weights: append([]float64(nil), f.weights...), leanings: make([]leaning, n),
		similarities: r.similarities(f.means, n, f.dim),
		best:         make([]int, n), bestScore: make([]float64, n), parent: make([]int, n),
		joined: make([]float32, n),
	}
	a.keepApart(f.pinned)
	for i := range n {
		a.leanings[i] = l.lean(f.weights[i])
		a.parent[i] = i
	}
	for i := range n {
		a.findBest(i)
	}
	return a
}

// keepApart makes sure that no two of the pinned features are joined.
func (a *agglomeration) keepApart(pinned []bool) {
	for i := range pinned {
		for j := range i {
			if pinned[i] && pinned[j] {
				a.row(i)[j] = float32(math.Inf(-1))
			}
		}
	}
}

// A room is memory for agglomerations, kept because it is large.
type room struct{ means, triangle, products []float32 }

// withRoom returns s or, where it is too small, longer memory, a quarter more than
// is needed.
func withRoom(s []float32, n int) []float32 {
	if len(s) >= n {
		return s
	}
	return make([]float32, n+n/4)
}

// block is how many rows are compared with the others together.
const block = 64

// similarities returns the dot products of each of n rows with those before it.
func (r *room) similarities(rows []float32, n, dim int) []float32 {
	r.triangle = withRoom(r.triangle, n*(n-1)/2)
	r.products = withRoom(r.products, block*n)
	for first := 0; first < n; first += block {
		end := min(first+block, n)
		vec.DotMatrix(r.products[:(end-first)*end], rows[:end*dim], rows[first*dim:end*dim], dim)
		for i := first; i < end; i++ {
			copy(triangleRow(r.triangle, i), r.products[(i-first)*end:])
		}
	}
	return r.triangle
}

// triangleRow is row i of a triangle whose rows have as many values as their number.
func triangleRow(triangle []float32, i int) []float32 {
	start := i * (i - 1) / 2
	return triangle[start : start+i : start+i]
}

// row holds the similarities of group i with those before it.
func (a *agglomeration) row(i int) []float32 { return triangleRow(a.similarities, i) }

// findBest finds the group before it that a group would best be joined with.
func (a *agglomeration) findBest(i int) {
	best, bestScore := -1, math.Inf(-1)
	own, leanings := a.leanings[i], a.leanings
	for j, similarity := range a.row(i) {
		if s := score(float64(similarity), own, leanings[j]); s > bestScore {
			best, bestScore = j, s
		}
	}
	a.best[i], a.bestScore[i] = best, bestScore
}

// step joins the two groups that most speaks for, or says that none are left
// that belong together.
func (a *agglomeration) step() bool {
	i := -1
	for j, s := range a.bestScore {
		if a.best[j] >= 0 && (i < 0 || s > a.bestScore[i] || s == a.bestScore[i] && a.best[j] < a.best[i]) {
			i = j
		}
	}
	if i < 0 || a.bestScore[i] < a.cut {
		return false
	}
	a.last = merging{a.best[i], i, a.bestScore[i]}
	a.join(a.last.i, a.last.j)
	return true
}

// join makes group j part of group i, which is before it.
func (a *agglomeration) join(i, j int) {
	shareI := a.weights[i] / (a.weights[i] + a.weights[j])
	rowI, rowJ := a.row(i), a.row(j)
	for k := range a.n {
		if a.parent[k] != k || k == i || k == j {
			continue
		}
		ofI, ofJ := pairOf(a, rowI, i, k), pairOf(a, rowJ, j, k)
		a.joined[k] = float32(shareI*float64(*ofI) + (1-shareI)*float64(*ofJ))
		*ofI = a.joined[k]
	}
	a.weights[i] += a.weights[j]
	a.leanings[i] = a.lean(a.weights[i])
	a.parent[j], a.best[j], a.leanings[j].doubt = i, -1, math.Inf(1)
	a.refresh(i, j)
}

// pairOf is where the similarity of groups i and k is, row being that of i.
func pairOf(a *agglomeration, row []float32, i, k int) *float32 {
	if k < i {
		return &row[k]
	}
	return &a.similarities[k*(k-1)/2+i]
}

// refresh finds the best joins again that changed when j became part of i.
func (a *agglomeration) refresh(i, j int) {
	a.findBest(i)
	for k := i + 1; k < a.n; k++ {
		switch {
		case a.best[k] < 0:
		case a.best[k] == i || a.best[k] == j:
			a.findBest(k)
		default:
			s := score(float64(a.joined[k]), a.leanings[i], a.leanings[k])
			if s > a.bestScore[k] || s == a.bestScore[k] && i < a.best[k] {
				a.best[k], a.bestScore[k] = i, s
			}
		}
	}
}

// first returns the group that feature i is in.
func (a *agglomeration) first(i int) int {
	for a.parent[i] != i {
		a.parent[i] = a.parent[a.parent[i]]
		i = a.parent[i]
	}
	return i
}
