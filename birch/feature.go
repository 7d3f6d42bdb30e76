package birch

import (
	"math"

	"starling/vec"
)

// A feature is a BETULA cluster feature: the weight n of some vectors, 1 for each
// until it decays, their weighted mean, and the weighted sum s of their squared
// distances from it.
type feature struct {
	moments
	// row is mean rounded to float32, for the fast comparisons.
	row  []float32
	mean []float64
}

// moments are the parts of a feature that are single numbers.
type moments struct {
	n, s float64
	// norm is the Euclidean norm of the mean and norm2 its square.
	norm2, norm float64
	// narrow says that the mean is a vector as it came, float32 values: it is
	// then encoded as such.
	narrow bool
}

// newFeature returns the feature of vectors of the weight n with the given mean,
// which it keeps.
func newFeature(n, s float64, row []float32, mean []float64, narrow bool) feature {
	norm2 := vec.Dot64(mean, mean)
	return feature{moments{n, s, norm2, math.Sqrt(norm2), narrow}, row, mean}
}

// mergedRadius2 returns the squared radius of the union of a and b, whose means
// are the square root of distance2 apart.
func mergedRadius2(a, b *moments, distance2 float64) float64 {
	return mergedS(a, b, distance2) / (a.n + b.n)
}

// mergedDiameter2 returns the squared diameter of that union.
func mergedDiameter2(a, b *moments, distance2 float64) float64 {
	return diameter2(a.n+b.n, mergedS(a, b, distance2))
}

// mergedS returns the sum of squares of that union: S = S1 + S2 + n1*n2/(n1+n2) *
// |m1-m2|^2 (Lang and Schubert 2020).
func mergedS(a, b *moments, distance2 float64) float64 {
	between := float64(a.n * (b.n / (a.n + b.n)) * distance2)
	return a.s + (b.s + between)
}

// diameter2 returns the mean squared distance of two different vectors of a feature,
// 2*S/(n-1). One that decay has made lighter than two vectors counts as two vectors of
// equal weight.
func diameter2(n, s float64) float64 { return 2 * s / max(n-1, n/2) }

// features is an arena of cluster features of one dimension. Slots are numbered
// from 0 and their rows are contiguous, so that one vec.DotRows scans them all.
type features struct {
	dim     int
	moments []moments
	// rows and means hold dim values for each of moments.
	rows  []float32
	means []float64
}

func (f *features) len() int { return len(f.moments) }

func (f *features) row(slot int32) []float32 {
	from := int(slot) * f.dim
	return f.rows[from : from+f.dim : from+f.dim]
}

func (f *features) mean(slot int32) []float64 {
	from := int(slot) * f.dim
	return f.means[from : from+f.dim : from+f.dim]
}

// at returns a view of a slot, valid until the arena grows.
func (f *features) at(slot int32) feature {
	return feature{f.moments[slot], f.row(slot), f.mean(slot)}
}

// reserve makes room for a number of slots in all, and no more.
func (f *features) reserve(slots int) {
	f.moments = withCap(f.moments, slots)
	f.rows = withCap(f.rows, slots*f.dim)
	f.means = withCap(f.means, slots*f.dim)
}

func withCap[T any](s []T, n int) []T {
	if cap(s) >= n {
		return s
	}
	return append(make([]T, 0, n), s...)
}

// grow makes room for a slot more: it doubles the arena, up to a limit.
func (f *features) grow(limit int) {
	if n := f.len(); n == cap(f.moments) {
		f.reserve(max(n+1, min(max(4, 2*n), limit)))
	}
}

// reuse gives an empty arena the memory of a spare one.
func (f *features) reuse(spare features) {
	f.moments, f.rows, f.means = spare.moments[:0], spare.rows[:0], spare.means[:0]
}

// add appends a copy of x and returns its slot.
func (f *features) add(x *feature) int32 {
	f.moments = append(f.moments, x.moments)
	f.rows = append(f.rows, x.row...)
	f.means = append(f.means, x.mean...)
	return int32(len(f.moments) - 1)
}

// merge adds x to a slot: S = S1 + S2 + n1*n2/(n1+n2) * |m1-m2|^2 (Lang
// and Schubert 2020). A slot with n = 0 becomes a copy of x, exactly.
func (f *features) merge(slot int32, x *feature) {
	m := &f.moments[slot]
	if m.n == 0 {
		*m = x.moments
		copy(f.row(slot), x.row)
		copy(f.mean(slot), x.mean)
		return
	}
	n := m.n + x.n
	w := x.n / n
	distance2, norm2 := vec.MoveMean(f.mean(slot), f.row(slot), x.mean, w)
	m.s += x.s + float64(m.n*w*distance2)
	m.n, m.norm2, m.norm, m.narrow = n, norm2, math.Sqrt(norm2), false
}

// remove takes x, which is among its vectors, out of a slot that is heavier: the
// inverse of merge, which is merge with a negative weight. Rounding would leave a
// negative sum of squares where there is none.
func (f *features) remove(slot int32, x *feature) {
	negative := *x
	negative.n, negative.s = -x.n, -x.s
	f.merge(slot, &negative)
	f.moments[slot].s = max(0, f.moments[slot].s)
}

// moveLast ends the last slot, giving what it holds to the slot to.
func (f *features) moveLast(to int32) {
	last := int32(f.len() - 1)
	if to != last {
		f.moments[to] = f.moments[last]
		copy(f.row(to), f.row(last))
		copy(f.mean(to), f.mean(last))
	}
	f.moments = f.moments[:last]
	f.rows = f.rows[:int(last)*f.dim]
	f.means = f.means[:int(last)*f.dim]
}
