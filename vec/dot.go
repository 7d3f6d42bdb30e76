package vec

import "fmt"

// Dot returns the dot product of a and b, which have one length.
func Dot(a, b []float32) float32 {
	if len(a) != len(b) {
		panic(fmt.Sprintf("vec: dot product of %d and %d values", len(a), len(b)))
	}
	return dot(a, b)
}

// DotRows sets dst[i] to the dot product of x and row i of rows, which holds
// len(dst) rows of len(x) values one after the other. A result is bit for bit
// that of [Dot], whatever rows stand beside it.
func DotRows(dst, rows, x []float32) {
	if len(rows) != len(dst)*len(x) {
		panic(fmt.Sprintf("vec: %d values are not %d rows of %d", len(rows), len(dst), len(x)))
	}
	dotRows(dst, rows, x)
}

// AddScaled adds a*x to dst, value by value. They have one length and are
// either the same or do not overlap.
func AddScaled(dst, x []float32, a float32) {
	if len(dst) != len(x) {
		panic(fmt.Sprintf("vec: adding %d values to %d", len(x), len(dst)))
	}
	addScaled(dst, x, a)
}
