package birch

import (
	"slices"

	"starling/vec"
)

// An expectation compares vectors with the entries before their turn, many at a
// time, so that the entries are read from memory once for all of them.
type expectation struct {
	// coming are the vectors told of and not yet compared.
	coming [][]float32
	// xs are copies of the compared vectors, count of them one after the other,
	// of which those from next on are still to be inserted.
	xs          []float32
	next, count int
	// dots are the dot products of each of xs with the first known entries; for
	// those still to be inserted, with the entries as they are now.
	dots  []float32
	known int
	// changed is room for the dot products of one entry.
	changed [comparedAtOnce]float32
}

// comparedAtOnce bounds the vectors compared at once, and with them the memory:
// 4 bytes for each vector and entry. More make a comparison hardly cheaper.
const comparedAtOnce = 32

// Expect tells the tree which vectors Insert will be given next, in order, so
// that it can compare many with the entries together. It changes nothing but the
// time that Insert takes, and that only while the tree is scanned: vectors may be
// left out or be such as Insert refuses, and one not told of ends the expectation.
// The tree holds on to xs until then or until others are expected.
func (t *Tree) Expect(xs [][]float32) {
	e := &t.scratch.expected
	e.coming, e.next, e.count = xs, 0, 0
}

// expected returns the dot products of x and the first entries, or nothing if x
// was not expected. They are valid until the tree changes.
func (t *Tree) expected(x []float32) []float32 {
	e := &t.scratch.expected
	if !e.skipTo(x) {
		t.compare(x)
	}
	if e.next == e.count {
		return nil
	}
	from := e.next * e.known
	e.next++
	return e.dots[from : from+e.known]
}

// skipTo leaves out the compared vectors before x and reports whether x is among
// them.
func (e *expectation) skipTo(x []float32) bool {
	for e.next < e.count && !slices.Equal(e.xs[e.next*len(x):][:len(x)], x) {
		e.next++
	}
	return e.next < e.count
}

// compare compares vectors from x on with all entries, none if x is not coming.
func (t *Tree) compare(x []float32) {
	e := &t.scratch.expected
	for len(e.coming) > 0 && !slices.Equal(e.coming[0], x) {
		e.coming = e.coming[1:]
	}
	batch := e.coming[:min(len(e.coming), comparedAtOnce)]
	e.coming = e.coming[len(batch):]
	e.xs = e.xs[:0]
	for _, y := range batch {
		if len(y) == t.config.Dim {
			e.xs = append(e.xs, y...)
		}
	}
	e.next, e.count, e.known = 0, len(e.xs)/t.config.Dim, t.Len()
	e.dots = slices.Grow(e.dots[:0], e.count*e.known)[:e.count*e.known]
	vec.DotMatrix(e.dots, t.entries.rows, e.xs, t.config.Dim)
}

// hasChanged brings the dot products of an entry up to date.
func (t *Tree) hasChanged(slot int32) {
	e := &t.scratch.expected
	left := e.changed[:e.count-e.next]
	if len(left) == 0 || int(slot) >= e.known {
		return
	}
	vec.DotRows(left, e.xs[e.next*t.config.Dim:], t.entries.row(slot))
	for i, dot := range left {
		e.dots[(e.next+i)*e.known+int(slot)] = dot
	}
}
