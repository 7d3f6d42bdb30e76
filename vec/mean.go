package vec

import "fmt"

// block is the number of partial sums in the fixed order of [Dot64],
// [Distance64] and [MoveMean]: value i goes to sum i mod 8, and the eight are added pairwise.
const block = 8

// MoveMean moves mean towards x by the fraction w, mean += w*(x-mean), and sets
// row to the new mean rounded to float32. It returns the squared distance of x
// from the old mean and the squared norm of the new one. All three slices have
// one length and do not overlap.
//
// This is the mean update of Welford and of BETULA's cluster features: a mean
// over n values takes in one more with w = 1/(n+1).
func MoveMean(mean []float64, row []float32, x []float64, w float64) (distance2, norm2 float64) {
	if len(row) != len(mean) || len(x) != len(mean) {
		panic(fmt.Sprintf("vec: moving a mean of %d values with a row of %d towards %d", len(mean), len(row), len(x)))
	}
	var sums [2 * block]float64
	whole := len(mean) &^ (block - 1)
	moveMean(mean[:whole], row[:whole], x[:whole], w, &sums)
	moveMeanGeneric(mean[whole:], row[whole:], x[whole:], w, &sums)
	return sum8(sums[:block]), sum8(sums[block:])
}

// moveMeanGeneric is MoveMean in plain Go: it adds the squared distances to
// sums[:8] and the squared norms to sums[8:]. The conversions keep the compiler
// from fusing a product with the sum that follows.
func moveMeanGeneric(mean []float64, row []float32, x []float64, w float64, sums *[2 * block]float64) {
	row, x = row[:len(mean)], x[:len(mean)]
	for i, m := range mean {
		d := x[i] - m
		m += float64(w * d)
		mean[i], row[i] = m, float32(m)
		lane := i % block
		sums[lane] += float64(d * d)
		sums[block+lane] += float64(m * m)
	}
}

// Dot64 returns the dot product of a and b, which have one length. For a mean
// m, Dot64(m, m) is bit for bit the squared norm that [MoveMean] returned.
func Dot64(a, b []float64) float64 {
	if len(a) != len(b) {
		panic(fmt.Sprintf("vec: dot product of %d and %d values", len(a), len(b)))
	}
	var s0, s1, s2, s3, s4, s5, s6, s7 float64
	for len(a) >= block && len(b) >= block {
		x, y := (*[block]float64)(a), (*[block]float64)(b)
		s0 += float64(x[0] * y[0])
		s1 += float64(x[1] * y[1])
		s2 += float64(x[2] * y[2])
		s3 += float64(x[3] * y[3])
		s4 += float64(x[4] * y[4])
		s5 += float64(x[5] * y[5])
		s6 += float64(x[6] * y[6])
		s7 += float64(x[7] * y[7])
		a, b = a[block:], b[block:]
	}
	sums := [block]float64{s0, s1, s2, s3, s4, s5, s6, s7}
	for i := range a {
		sums[i] += float64(a[i] * b[i])
	}
	return sum8(sums[:])
}

// Distance64 returns the squared Euclidean distance of a and b, which have one
// length. It subtracts before it squares, so it keeps its precision far from
// the origin.
func Distance64(a, b []float64) float64 {
	if len(a) != len(b) {
		panic(fmt.Sprintf("vec: distance of %d and %d values", len(a), len(b)))
	}
	var s0, s1, s2, s3, s4, s5, s6, s7 float64
	for len(a) >= block && len(b) >= block {
		x, y := (*[block]float64)(a), (*[block]float64)(b)
		s0 += square(x[0] - y[0])
		s1 += square(x[1] - y[1])
		s2 += square(x[2] - y[2])
		s3 += square(x[3] - y[3])
		s4 += square(x[4] - y[4])
		s5 += square(x[5] - y[5])
		s6 += square(x[6] - y[6])
		s7 += square(x[7] - y[7])
		a, b = a[block:], b[block:]
	}
	sums := [block]float64{s0, s1, s2, s3, s4, s5, s6, s7}
	for i := range a {
		sums[i] += square(a[i] - b[i])
	}
	return sum8(sums[:])
}

// square returns d*d, rounded: the conversion keeps the compiler from fusing it
// with a sum.
func square(d float64) float64 { return float64(d * d) }

// sum8 adds eight partial sums pairwise.
func sum8(s []float64) float64 {
	_ = s[block-1]
	return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))
}
