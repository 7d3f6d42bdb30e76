package birch

import (
	"math"

	"starling/vec"
)

// A measure compares cluster features. Their separation is the squared distance of
// their means, or with Cosine 1 minus the cosine of their means; a mean of zero has
// cosine 0 with everything. Their dissimilarity, by which the nearest is found, is
// what the configured Distance makes of it; and so is the threshold from which on one
// absorbs the other.
//
// Both are had in two ways: rough, from a float32 dot product, with a bound on the
// error that holds for any order of summation; and exact, in float64. Decisions
// go by the rough one where the bound permits and by the exact one else, so they
// are always those of the exact one.
type measure struct {
	criterion Criterion
	distance  Distance
	dim       float64
	// relative and absolute bound the error of a float32 dot product of means
	// a and b: relative*|a|*|b| + absolute*(1+|a|+|b|).
	relative, absolute float64
}

// newMeasure sets the bounds for vectors of dim values: each of dim+8 roundings
// loses at most 2^-24 relatively (Higham, Accuracy and Stability of Numerical
// Algorithms, section 3.1; two are those of the means to float32), and each of
// the products and sums at most 2^-149 more where it underflows.
func newMeasure(c Config) measure {
	roundings := float64(c.Dim + 8)
	return measure{c.Criterion, c.Distance, float64(c.Dim), 1.01 * roundings * 0x1p-24, 4 * roundings * 0x1p-149}
}

// margin covers the roundings of what is computed from a separation, relatively.
const margin = 0x1p-40

// rough returns the dissimilarity of a and b, whose rows have the given dot
// product, and a bound on its error.
func (m measure) rough(dot float32, a, b *moments) (d, bound float64) {
	d, bound = m.roughSeparation(dot, a, b)
	if m.distance == D0 {
		return d, bound
	}
	low, high := max(0, d-bound), max(0, d+bound)
	if m.distance == D1 {
		// The norms of d values: |x|_2 <= |x|_1 <= sqrt(d)*|x|_2.
		low, high = math.Sqrt(low), math.Sqrt(m.dim*high)
	} else {
		low, high = m.dissimilarity(a, b, low), m.dissimilarity(a, b, high)
	}
	return (low + high) / 2, (high-low)/2 + margin*high
}

func (m measure) roughSeparation(dot float32, a, b *moments) (d, bound float64) {
	norms := a.norm * b.norm
	bound = m.relative*norms + m.absolute*(1+a.norm+b.norm)
	if m.criterion == Cosine {
		if norms == 0 {
			return 1, 0
		}
		return 1 - float64(dot)/norms, bound / norms
	}
	// The squared norms are float64 sums and add their own roundings.
	return a.norm2 + b.norm2 - 2*float64(dot), 2*bound + margin*(a.norm2+b.norm2)
}

// A cutoff leaves most features out by their dot product with one vector: what
// is left out has a dissimilarity above the limit that the cutoff was made for.
type cutoff struct{ square, linear, constant float64 }

// cutoff solves d-bound > limit, d and bound being those of rough for a and a
// feature of some norm, for the dot product. Only what Cosine and D0 compare depends
// on nothing else; the others leave nothing out.
func (m measure) cutoff(a *moments, limit float64) cutoff {
	constant := -m.absolute * (1 + a.norm)
	switch {
	case m.criterion == Cosine:
		return cutoff{0, a.norm*(1-limit-m.relative) - m.absolute, constant}
	case m.distance == D0:
		const half = (1 - margin) / 2
		return cutoff{half, -m.relative*a.norm - m.absolute, constant + half*a.norm2 - limit/2}
	default:
		return cutoff{0, 0, math.Inf(-1)}
	}
}

func (c cutoff) leavesOut(dot float32, b *moments) bool {
	return float64(dot) < c.square*b.norm2+c.linear*b.norm+c.constant
}

// exact returns the dissimilarity of a and b in float64.
func (m measure) exact(a, b *feature) float64 {
	if m.distance == D1 {
		return manhattan(a.mean, b.mean)
	}
	return m.dissimilarity(&a.moments, &b.moments, m.separation(a, b))
}

// separation returns the separation of a and b in float64.
func (m measure) separation(a, b *feature) float64 {
	if m.criterion == Cosine {
		return 1 - cosine(a, b)
	}
	return vec.Distance64(a.mean, b.mean)
}

// dissimilarity returns what the distance, other than D1, makes of a separation. It
// ascends with it.
func (m measure) dissimilarity(a, b *moments, separation float64) float64 {
	switch m.distance {
	case D2:
		return separation + (a.s/a.n + b.s/b.n)
	case D3:
		return mergedDiameter2(a, b, separation)
	case D4:
		return a.n * (b.n / (a.n + b.n)) * separation
	default:
		return separation
	}
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

// manhattan returns the sum of the absolute differences of a and b, in their order.
func manhattan(a, b []float64) (sum float64) {
	for i, v := range a {
		sum += math.Abs(v - b[i])
	}
	return sum
}

// joined returns the squared threshold from which on a absorbs b, given their
// separation. It ascends with it.
func (m measure) joined(a, b *moments, separation float64) float64 {
	switch m.criterion {
	case Cosine:
		return separation
	case Diameter:
		return mergedDiameter2(a, b, separation)
	default:
		return mergedRadius2(a, b, separation)
	}
}

// absorbs reports whether a absorbs b at a threshold.
func (m measure) absorbs(a, b *feature, threshold float64) bool {
	d, bound := m.roughSeparation(vec.Dot(a.row, b.row), &a.moments, &b.moments)
	limit := threshold * threshold
	if m.criterion == Cosine {
		limit = max(limit, margin) // rounding may leave the cosine of equal vectors below 1
	}
	if m.joined(&a.moments, &b.moments, d+bound)*(1+margin) < limit {
		return true
	}
	if m.joined(&a.moments, &b.moments, d-bound)*(1-margin) > limit {
		return false
	}
	return m.joined(&a.moments, &b.moments, m.separation(a, b)) <= limit
}
