package birch

import (
	"bytes"
	"math"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Whatever vectors are expected, and whenever, a tree does what one does that
// expects none.
func TestExpectingChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawConfig(t)
		xs := drawVectors(t, c.Dim)
		plain, told := mustNew(t, c), mustNew(t, c)
		for i, x := range xs {
			if rapid.IntRange(0, 9).Draw(t, "tell") == 0 {
				told.Expect(drawExpected(t, xs[i:]))
			}
			got, want := mustInsert(t, told, x), mustInsert(t, plain, x)
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("vector %d: an expecting tree did %+v, want %+v", i, got, want)
			}
			checkExpected(t, told)
		}
		if !bytes.Equal(encoded(t, told), encoded(t, plain)) {
			t.Fatal("an expecting tree has other bytes")
		}
	})
}

// drawExpected draws what a caller may say that will come: mostly what does, now
// and then with a vector too many, too few, that is no vector or that is changed
// before its turn.
func drawExpected(t *rapid.T, xs [][]float32) [][]float32 {
	expected := slices.Clone(xs[:rapid.IntRange(0, len(xs)).Draw(t, "expected")])
	if len(expected) == 0 {
		return nil
	}
	at := rapid.IntRange(0, len(expected)-1).Draw(t, "at")
	switch rapid.IntRange(0, 7).Draw(t, "mistake") {
	case 0:
		return slices.Delete(expected, at, at+1)
	case 1:
		return slices.Insert(expected, at, expected[len(expected)-1])
	case 2:
		expected[at] = expected[at][1:]
	case 3:
		expected[at] = slices.Clone(expected[at])
		expected[at][0] = float32(math.NaN())
	case 4:
		expected[at] = nil
	}
	return expected
}

// checkExpected checks that what was compared ahead is still true.
func checkExpected(t rapid.TB, tree *Tree) {
	t.Helper()
	e := &tree.scratch.expected
	for i := e.next; i < e.count; i++ {
		for slot := range min(e.known, tree.Len()) {
			x, row := e.xs[i*tree.config.Dim:][:tree.config.Dim], tree.entries.row(int32(slot))
			var dot, size float64
			for j, v := range x {
				dot += float64(v) * float64(row[j])
				size += math.Abs(float64(v) * float64(row[j]))
			}
			if got := float64(e.dots[i*e.known+slot]); math.Abs(got-dot) > 1e-5*size+1e-30 {
				t.Fatalf("expected vector %d has the dot product %g with entry %d, want %g", i, got, slot, dot)
			}
		}
	}
}

func TestExpectedVectorsAreComparedTogether(t *testing.T) {
	tree := mustNew(t, Config{Dim: 8, Threshold: 0.1, ScanLimit: 5000})
	xs := make([][]float32, 200)
	for p := range xs {
		xs[p] = make([]float32, 8)
		grouped(xs[p], p, 40)
	}
	mustInsert(t, tree, xs[0])
	tree.Expect(xs[1:])
	for i, x := range xs[1:] {
		mustInsert(t, tree, x)
		e := &tree.scratch.expected
		if want := min(comparedAtOnce, len(xs)-1-i/comparedAtOnce*comparedAtOnce); e.count != want || e.next != i%comparedAtOnce+1 {
			t.Fatalf("vector %d was number %d of %d compared together, want %d of %d", i, e.next, e.count, i%comparedAtOnce+1, want)
		}
	}
}

// A tree that does not scan makes no use of what it expects.
func TestExpectingCostsNothingWithoutAScan(t *testing.T) {
	tree := mustNew(t, Config{Dim: 8, Threshold: 0.1})
	x := make([]float32, 8)
	for p := range 100 {
		grouped(x, p, 40)
		tree.Expect([][]float32{x})
		mustInsert(t, tree, x)
	}
	if e := &tree.scratch.expected; cap(e.dots)+cap(e.xs) > 0 {
		t.Errorf("%d dot products were taken ahead", cap(e.dots))
	}
}

func TestRebuildForgetsWhatWasExpected(t *testing.T) {
	const dim, most = 16, 100
	c := Config{Dim: dim, Threshold: 0.01, MaxEntries: most, ScanLimit: most}
	plain, told := mustNew(t, c), mustNew(t, c)
	xs := make([][]float32, 3*most)
	for p := range xs {
		xs[p] = make([]float32, dim)
		grouped(xs[p], p, 10*most)
	}
	told.Expect(xs)
	rebuilds := 0
	for i, x := range xs {
		got, want := mustInsert(t, told, x), mustInsert(t, plain, x)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("vector %d: an expecting tree did %+v, want %+v", i, got, want)
		}
		if len(got.Merges) > 0 {
			rebuilds++
		}
		checkExpected(t, told)
	}
	if rebuilds == 0 {
		t.Error("no rebuild took part")
	}
	if !bytes.Equal(encoded(t, told), encoded(t, plain)) {
		t.Error("an expecting tree has other bytes")
	}
}
