package birch

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// drawConfig draws the configuration of a small tree.
func drawConfig(t *rapid.T) Config {
	c := Config{
		Dim:          rapid.IntRange(1, 20).Draw(t, "dim"),
		Criterion:    Criterion(rapid.IntRange(0, 2).Draw(t, "criterion")),
		Branching:    rapid.IntRange(2, 6).Draw(t, "branching"),
		LeafCapacity: rapid.IntRange(2, 6).Draw(t, "leaf capacity"),
		MaxEntries:   rapid.IntRange(2, 60).Draw(t, "max entries"),
		ScanLimit:    rapid.SampledFrom([]int{0, 10, 100}).Draw(t, "scan limit"),
	}
	c.Threshold = rapid.Float64Range(0, 1.2).Draw(t, "threshold")
	if rapid.Bool().Draw(t, "spill") {
		c.SpillLimit = rapid.IntRange(1, 20).Draw(t, "spill limit")
		c.OutlierShare = rapid.SampledFrom([]float64{0, 0.5, 1}).Draw(t, "outlier share")
		c.DelaySplits = rapid.Bool().Draw(t, "delay splits")
	}
	if rapid.IntRange(0, 3).Draw(t, "bytes") == 0 {
		c.MaxBytes = 100_000 + int64(c.SpillLimit)*1000
	}
	c.MinCosine = rapid.SampledFrom([]float64{0, 0, 0.5, 1}).Draw(t, "least cosine")
	if c.Criterion != Cosine {
		c.Distance = Distance(rapid.IntRange(0, 4).Draw(t, "distance"))
	}
	return c
}

// drawVectors draws vectors that no criterion refuses, some of them equal.
func drawVectors(t *rapid.T, dim int) [][]float32 {
	value := rapid.OneOf(rapid.Float32Range(-3, 3), rapid.SampledFrom([]float32{-1, 0, 1, 1e-20, 1e12}))
	vector := rapid.SliceOfN(value, dim, dim).Filter(func(x []float32) bool {
		return slices.ContainsFunc(x, func(v float32) bool { return v != 0 })
	})
	return rapid.SliceOfN(vector, 1, 150).Draw(t, "vectors")
}

func mustNew(t rapid.TB, c Config) *Tree {
	t.Helper()
	tree, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func mustInsert(t rapid.TB, tree *Tree, x []float32) Insertion {
	t.Helper()
	in, err := tree.Insert(x)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func encoded(t rapid.TB, tree *Tree) []byte {
	t.Helper()
	b, err := tree.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	if size := tree.BinarySize(); size != len(b) {
		t.Fatalf("a tree of %d bytes says it has %d", len(b), size)
	}
	return b
}

// whole returns the sum of all entries.
func whole(tree *Tree) feature {
	all := features{dim: tree.config.Dim}
	all.add(&feature{row: make([]float32, all.dim), mean: make([]float64, all.dim)})
	for _, r := range []*roster{&tree.entries, &tree.spill} {
		for slot := range r.ids {
			f := r.at(int32(slot))
			all.merge(0, &f)
		}
	}
	return all.at(0)
}

// sumUp returns the feature of some vectors, by definition.
func sumUp(xs [][]float32) feature {
	mean := make([]float64, len(xs[0]))
	for _, x := range xs {
		for i, v := range x {
			mean[i] += float64(v) / float64(len(xs))
		}
	}
	var s float64
	for _, x := range xs {
		for i, v := range x {
			s += (float64(v) - mean[i]) * (float64(v) - mean[i])
		}
	}
	return newFeature(float64(len(xs)), s, nil, mean, false)
}

func TestTreeStaysWholeAndLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree := mustNew(t, drawConfig(t))
		xs := drawVectors(t, tree.config.Dim)
		for _, x := range xs {
			mustInsert(t, tree, x)
			checkInvariants(t, tree)
		}
		checkSame(t, whole(tree), sumUp(xs))
	})
}

func TestMergesTellWhereEveryVectorWent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree := mustNew(t, drawConfig(t))
		xs := drawVectors(t, tree.config.Dim)
		members := map[ID][][]float32{}
		given := ID(0)
		for _, x := range xs {
			in := mustInsert(t, tree, x)
			for _, m := range in.Merges {
				checkMerge(t, members, m)
				members[m.To] = append(members[m.To], members[m.From]...)
				delete(members, m.From)
			}
			_, known := members[in.Entry]
			if in.Created && in.Entry != given+1 || in.Created == known {
				t.Fatalf("entry %d, created %v, after %d were", in.Entry, in.Created, given)
			}
			if in.Created {
				given = in.Entry
			}
			members[in.Entry] = append(members[in.Entry], x)
		}
		if len(members) != tree.Len()+tree.spill.len() {
			t.Fatalf("%d and %d entries, %d by what Insert said", tree.Len(), tree.spill.len(), len(members))
		}
		for id, xs := range members {
			r, slot, _ := tree.find(id)
			checkSame(t, r.at(slot), sumUp(xs))
		}
	})
}

// checkMerge fails unless m ends a live entry that is no heavier than the other.
func checkMerge(t rapid.TB, members map[ID][][]float32, m Merge) {
	t.Helper()
	from, to := len(members[m.From]), len(members[m.To])
	if from == 0 || to == 0 || from > to || from == to && m.From < m.To {
		t.Fatalf("entry %d of %d vectors went into %d of %d", m.From, from, m.To, to)
	}
}

func TestEntriesKeepTheCriterionTheyWereMadeBy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawConfig(t)
		if c.Criterion == Cosine {
			c.Criterion = Radius
		}
		tree := mustNew(t, c)
		for _, x := range drawVectors(t, c.Dim) {
			mustInsert(t, tree, x)
		}
		for e := range tree.Entries() {
			spread := math.Sqrt(e.S / e.N)
			if c.Criterion == Diameter && e.N > 1 {
				spread = math.Sqrt(2 * e.S / (e.N - 1))
			}
			if spread > tree.Threshold()*(1+1e-9) {
				t.Fatalf("entry %d has the %v %g, the threshold is %g", e.ID, c.Criterion, spread, tree.Threshold())
			}
		}
	})
}

func TestSameVectorsGiveTheSameBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawConfig(t)
		a, b := mustNew(t, c), mustNew(t, c)
		for _, x := range drawVectors(t, c.Dim) {
			mustInsert(t, a, x)
			mustInsert(t, b, x)
		}
		if !bytes.Equal(encoded(t, a), encoded(t, b)) {
			t.Fatal("two trees of the same vectors differ")
		}
	})
}

// Far from the origin the classic features (n, LS, SS) cancel: here their
// variance would be rounding noise of some 10^9.
func TestFeaturesDoNotCancel(t *testing.T) {
	tree := mustNew(t, Config{Dim: 2, Threshold: 2})
	for i := range 1000 {
		mustInsert(t, tree, []float32{1e12 + 65536*float32(i%2), 1e12})
	}
	if tree.Len() != 2 {
		t.Fatalf("%d entries, want 2", tree.Len())
	}
	for e := range tree.Entries() {
		if e.N != 500 || e.S != 0 {
			t.Errorf("entry %d: n=%g, S=%g, want 500 equal vectors", e.ID, e.N, e.S)
		}
	}
}

func TestScanAndDescentAgreeInOneLeaf(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawConfig(t)
		c.LeafCapacity, c.MaxEntries, c.MaxBytes = 1000, 1000, 0
		scan, descend := c, c
		scan.ScanLimit, descend.ScanLimit = 1000, 0
		a, b := mustNew(t, scan), mustNew(t, descend)
		for _, x := range drawVectors(t, c.Dim) {
			if got, want := mustInsert(t, a, x), mustInsert(t, b, x); got.Entry != want.Entry {
				t.Fatalf("a scan takes entry %d, descent %d", got.Entry, want.Entry)
			}
		}
	})
}

func TestEntryByID(t *testing.T) {
	tree := mustNew(t, Config{Dim: 1, Threshold: 0.1})
	mustInsert(t, tree, []float32{1})
	in := mustInsert(t, tree, []float32{5})
	if e, ok := tree.Entry(in.Entry); !ok || e.ID != 2 || e.N != 1 || e.S != 0 || !slices.Equal(e.Mean, []float32{5}) {
		t.Errorf("entry 2 is %+v, %v", e, ok)
	}
	if e, ok := tree.Entry(3); ok {
		t.Errorf("entry 3 is %+v, want none", e)
	}
	for e := range tree.Entries() {
		if e.ID != 1 {
			t.Errorf("iteration went on to %d after it was stopped", e.ID)
		}
		break
	}
}

func TestBadVectorsLeaveTheTreeAsItWas(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	for _, c := range []struct {
		criterion Criterion
		x         []float32
		says      string
	}{
		{Radius, []float32{1, 2, 3}, "3 values"},
		{Radius, nil, "0 values"},
		{Radius, []float32{1, nan}, "value 1 is NaN"},
		{Radius, []float32{inf, 1}, "value 0 is -Inf"},
		{Radius, []float32{1e30, 1}, "norm is over 2^60"},
		{Cosine, []float32{0, 0}, "zero"},
	} {
		tree := mustNew(t, Config{Dim: 2, Threshold: 0.5, Criterion: c.criterion})
		mustInsert(t, tree, []float32{1, 1})
		before := encoded(t, tree)
		if err := tree.Check([]float32{1, 2}); err != nil {
			t.Errorf("Check of a good vector gives the error %v", err)
		}
		if _, err := tree.Insert(c.x); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("Insert(%v) gives the error %v, want one that says %q", c.x, err, c.says)
		}
		if err := tree.Check(c.x); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("Check(%v) gives the error %v, want one that says %q", c.x, err, c.says)
		}
		if _, err := tree.Nearest(c.x, 1); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("Nearest(%v) gives the error %v, want one that says %q", c.x, err, c.says)
		}
		if !bytes.Equal(encoded(t, tree), before) {
			t.Errorf("Insert(%v) changed the tree", c.x)
		}
	}
}

func TestBadConfigurations(t *testing.T) {
	for field, c := range map[string]Config{
		"Dim":          {},
		"Branching":    {Dim: 1, Branching: 1},
		"LeafCapacity": {Dim: 1, LeafCapacity: -1},
		"MaxEntries":   {Dim: 1, MaxEntries: 1},
		"ScanLimit":    {Dim: 1, ScanLimit: -1},
		"Criterion":    {Dim: 1, Criterion: 3},
		"Distance":     {Dim: 1, Distance: 5},
		"MinCosine":    {Dim: 1, MinCosine: 1.1},
		"SpillLimit":   {Dim: 1, DelaySplits: true},
		"OutlierShare": {Dim: 1, SpillLimit: 1, OutlierShare: 1.1},
		"MaxBytes":     {Dim: 1000, MaxBytes: 1000},
		"Threshold":    {Dim: 1, Threshold: math.NaN()},
	} {
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), field+" is") {
			t.Errorf("New(%+v) gives the error %v, want one about %s", c, err, field)
		}
	}
	for _, c := range []Config{{Dim: 1, Criterion: Cosine, Threshold: 1.5}, {Dim: 1, Criterion: Cosine, Distance: D2}} {
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), "with Criterion Cosine") {
			t.Errorf("New(%+v) gives the error %v", c, err)
		}
	}
}

func TestInsertDoesNotAllocateWhenAbsorbing(t *testing.T) {
	for _, scanLimit := range []int{0, 1000} {
		tree := mustNew(t, Config{Dim: 64, Threshold: 0.6, ScanLimit: scanLimit})
		x := make([]float32, 64)
		for p := range 2000 {
			grouped(x, p, 100)
			mustInsert(t, tree, x)
		}
		if n := testing.AllocsPerRun(100, func() { mustInsert(t, tree, x) }); n != 0 {
			t.Errorf("scan limit %d: %g allocations an insert", scanLimit, n)
		}
	}
}
