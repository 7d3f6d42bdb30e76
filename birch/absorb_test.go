package birch

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestAbsorbSaysWhereEveryEntryWent(t *testing.T) {
	ours := mustNew(t, Config{Dim: 1, Threshold: 0.5})
	theirs := mustNew(t, Config{Dim: 1, Threshold: 0.5})
	for _, x := range []float32{0, 5} {
		mustInsert(t, ours, []float32{x})
	}
	for _, x := range []float32{20, 4.8, 5.2} {
		mustInsert(t, theirs, []float32{x})
	}
	before := encoded(t, theirs)
	a, err := ours.Absorb(theirs)
	if err != nil {
		t.Fatal(err)
	}
	if want := []Origin{{1, 3}, {2, 2}}; !slices.Equal(a.Origins, want) || len(a.Merges) > 0 {
		t.Errorf("the absorption is %+v, want the origins %v", a, want)
	}
	if e, _ := ours.Entry(2); e.N != 3 || math.Abs(e.S-0.08) > 1e-6 {
		t.Errorf("entry 2 is %+v, want 5, 4.8 and 5.2", e)
	}
	if !bytes.Equal(encoded(t, theirs), before) {
		t.Error("the absorbed tree changed")
	}
	checkInvariants(t, ours)
}

// Two halves of a stream give what the stream gives, where the clusters are clear.
func TestAbsorbedHalvesAreTheWhole(t *testing.T) {
	c := Config{Dim: 2, Threshold: 1, ScanLimit: 100}
	whole, halves := mustNew(t, c), [2]*Tree{mustNew(t, c), mustNew(t, c)}
	for p := range 1000 {
		x := []float32{float32(p%10)*10 + float32(p%7)/10, float32(p%3) * 10}
		mustInsert(t, whole, x)
		mustInsert(t, halves[p/500], x)
	}
	if _, err := halves[0].Absorb(halves[1]); err != nil {
		t.Fatal(err)
	}
	if got, want := halves[0].Len(), whole.Len(); got != want || got != 30 {
		t.Fatalf("%d entries, the whole stream has %d, want 30", got, want)
	}
	for slot := range whole.entries.ids {
		want := whole.entries.at(int32(slot))
		near, err := halves[0].Nearest(want.row, 1)
		if err != nil {
			t.Fatal(err)
		}
		checkSame(t, halves[0].entries.at(halves[0].entries.slots[near[0].ID]), want)
	}
}

// A tree that is too small for both rebuilds itself, and still says where all went.
func TestAbsorbIntoASmallTree(t *testing.T) {
	ours := mustNew(t, Config{Dim: 3, Threshold: 0.001, MaxEntries: 20})
	theirs := mustNew(t, Config{Dim: 3, Threshold: 0.001})
	x := make([]float32, 3)
	for p := range 400 {
		grouped(x, p, 1000)
		if p < 20 {
			mustInsert(t, ours, x)
		} else {
			mustInsert(t, theirs, x)
		}
	}
	weights := map[ID]float64{}
	for e := range ours.Entries() {
		weights[e.ID] = e.N
	}
	a, err := ours.Absorb(theirs)
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Merges) == 0 {
		t.Error("no rebuild took part")
	}
	for _, m := range a.Merges {
		weights[m.To] += weights[m.From]
		delete(weights, m.From)
	}
	for _, o := range a.Origins {
		e, _ := theirs.Entry(o.Theirs)
		weights[o.Ours] += e.N
	}
	for e := range ours.Entries() {
		if e.N != weights[e.ID] {
			t.Errorf("entry %d weighs %g, by the lineage %g", e.ID, e.N, weights[e.ID])
		}
	}
	checkInvariants(t, ours)
}

func TestBadAbsorptionsLeaveTheTreeAsItWas(t *testing.T) {
	tree := smallTree(t)
	before := encoded(t, tree)
	if _, err := tree.Absorb(tree); err == nil || !strings.Contains(err.Error(), "itself") {
		t.Errorf("absorbing itself gives the error %v", err)
	}
	if _, err := tree.Absorb(mustNew(t, Config{Dim: 2})); err == nil || !strings.Contains(err.Error(), "2 values, want 3") {
		t.Errorf("absorbing a tree of other vectors gives the error %v", err)
	}
	for _, e := range []Entry{
		{N: 1, Mean: []float32{1, 2}},
		{N: 1, Mean: []float32{1, 2, float32(math.Inf(1))}},
		{N: 0, Mean: []float32{1, 2, 3}},
		{N: math.NaN(), Mean: []float32{1, 2, 3}},
		{N: 0x1p54, Mean: []float32{1, 2, 3}},
		{N: 1, Mean: []float32{1, 2, 3}, S: -1},
		{N: 1, Mean: []float32{1, 2, 3}, S: math.NaN()},
		{N: 1, Mean: []float32{1, 2, 3}, S: 0x1p123},
	} {
		if _, err := tree.InsertEntry(e); err == nil || !strings.Contains(err.Error(), "inserting entry") {
			t.Errorf("inserting %+v gives the error %v", e, err)
		}
	}
	if !bytes.Equal(encoded(t, tree), before) {
		t.Error("the tree changed")
	}
}
