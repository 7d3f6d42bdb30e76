package birch

import (
	"math"

	"starling/vec"
)

// A measure compares cluster features by a criterion. The dissimilarity of two
// features is the squared distance of their means with Radius, and 1 minus the
// cosine of their means with Cosine; a mean of zero has cosine 0 with everything.
//
// It is had in two ways: rough, from a float32 dot product, with a bound on the
// error that holds for any order of summation; and exact, in float64. Decisions
// go by the rough one where the bound permits and by the exact one else, so they
// are always those of the exact one.
type measure struct {
	criterion Criterion
	// relative and absolute bound the error of a float32 dot product of means
	// a and b: relative*|a|*|b| + absolute*(1+|a|+|b|).
	relative, absolute float64
}

// newMeasure sets the bounds for vectors of dim values: each of dim+8 roundings
// loses at most 2^-24 relatively (Higham, Accuracy and Stability of Numerical
// Algorithms, section 3.1; two are those of the means to float32), and each of
// the products and sums at most 2^-149 more where it underflows.
func newMeasure(c Criterion, dim int) measure {
	roundings := float64(dim + 8)
	return measure{c, 1.01 * roundings * 0x1p-24, 4 * roundings * 0x1p-149}
}

// rough returns the dissimilarity of a and b, whose rows have the given dot
// product, and a bound on its error.
func (m measure) rough(dot float32, a, b *moments) (d, bound float64) {
	norms := a.norm * b.norm
	bound = m.relative*norms + m.absolute*(1+a.norm+b.norm)
	if m.criterion == Cosine {
		if norms == 0 {
			return 1, 0
		}
		return 1 - float64(dot)/norms, bound / norms
	}
	// The squared norms are float64 sums and add their own roundings.
	return a.norm2 + b.norm2 - 2*float64(dot), 2*bound + 0x1p-40*(a.norm2+b.norm2)
}

// A cutoff leaves most features out by their dot product with one vector: what
// is left out has a dissimilarity above the limit that the cutoff was made for.
type cutoff struct{ square, linear, constant float64 }

// cutoff solves d-bound > limit, d and bound being those of rough for a and a
// feature of some norm, for the dot product.
func (m measure) cutoff(a *moments, limit float64) cutoff {
	constant := -m.absolute * (1 + a.norm)
	if m.criterion == Cosine {
		return cutoff{0, a.norm*(1-limit-m.relative) - m.absolute, constant}
	}
	const half = (1 - 0x1p-40) / 2
	return cutoff{half, -m.relative*a.norm - m.absolute, constant + half*a.norm2 - limit/2}
}

func (c cutoff) leavesOut(dot float32, b *moments) bool {
	return float64(dot) < c.square*b.norm2+c.linear*b.norm+c.constant
}

// exact returns the dissimilarity of a and b in float64.
func (m measure) exact(a, b *feature) float64 {
	if m.criterion == Radius {
		return vec.Distance64(a.mean, b.mean)
	}
	return 1 - cosine(a, b)
}

// cosine returns the cosine of the means of a and b, from -1 to 1, or 0 if one
// of them is zero.
func cosine(a, b *feature) float64 {
	norms := a.norm * b.norm
	if norms == 0 {
		return 0
	}
	return max(-1, min(1, vec.Dot64(a.mean, b.mean)/norms))
}

// joined returns the squared threshold from which on a absorbs b, given their
// dissimilarity.
func (m measure) joined(a, b *moments, dissimilarity float64) float64 {
	if m.criterion == Radius {
		return mergedRadius2(a, b, dissimilarity)
	}
	return dissimilarity
}

// absorbs reports whether a absorbs b at a threshold.
func (m measure) absorbs(a, b *feature, threshold float64) bool {
	d, bound := m.rough(vec.Dot(a.row, b.row), &a.moments, &b.moments)
	limit := threshold * threshold
	// The margin covers the roundings of joined.
	const margin = 0x1p-40
	if m.joined(&a.moments, &b.moments, d+bound)*(1+margin) < limit {
		return true
	}
	if m.joined(&a.moments, &b.moments, d-bound)*(1-margin) > limit {
		return false
	}
	return m.joined(&a.moments, &b.moments, m.exact(a, b)) <= limit
}

// A ranking finds the least of several dissimilarities, seen once each, by their
// rough values. It keeps those that may be the least.
type ranking struct {
	// least is the smallest upper bound seen.
	least float64
	kept  []candidate
}

// A candidate may be the least: its dissimilarity is at least low.
type candidate struct {
	slot int32
	low  float64
}

func (r *ranking) reset() { r.least, r.kept = math.Inf(1), r.kept[:0] }

// see takes in one dissimilarity and the bound of its error.
func (r *ranking) see(slot int32, d, bound float64) {
	if d-bound <= r.least {
		r.kept = append(r.kept, candidate{slot, d - bound})
		r.least = min(r.least, d+bound)
	}
}

// first returns the slot with the least exact dissimilarity to x, of several
// the one that was seen first.
func (r *ranking) first(m measure, f *features, x *feature) int32 {
	open := r.kept[:0]
	for _, c := range r.kept {
		if c.low <= r.least {
			open = append(open, c)
		}
	}
	best := open[0].slot
	if len(open) == 1 {
		return best
	}
	least := math.Inf(1)
	for _, c := range open {
		entry := f.at(c.slot)
		if d := m.exact(x, &entry); d < least {
			least, best = d, c.slot
		}
	}
	return best
}
