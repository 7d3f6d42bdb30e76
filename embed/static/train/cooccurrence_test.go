package train

import (
	"math"
	"testing"
)

func TestNearWordsCountByTheirDistance(t *testing.T) {
	v := &vocabulary{words: []string{"a", "b", "c"}, scales: []float64{1, 0.5}}
	sources := [][]text{{{0, 1, -1, 2}}, {{0, 1}}}
	m, err := cooccurrences(t.Context(), sources, v, 2, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	got := make([][3]float32, 3)
	for i := range got {
		for k, j := range m.columns[i] {
			got[i][j] = m.values[i][k]
		}
	}
	// a and b touch in both sources; c is two places after b.
	want := [][3]float32{{0, 1.5, 0}, {1.5, 0, 0.5}, {0, 0.5, 0}}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("row %d is %v, want %v", i, got[i], want[i])
		}
	}
}

func TestInformationIsThatOfTheDefinition(t *testing.T) {
	m := &sparse{[][]int32{{0, 1}, {0, 1}}, [][]float32{{6, 1}, {1, 2}}}
	m.informative(1)
	// log(n(i,j) N / (n(i) n(j))), N = 10, n = 7 and 3
	for i, want := range []float64{math.Log(6 * 10 / 49.), math.Log(2 * 10 / 9.)} {
		if len(m.columns[i]) != 1 || m.columns[i][0] != int32(i) {
			t.Fatalf("row %d has the columns %v, want its own alone", i, m.columns[i])
		}
		if got := float64(m.values[i][0]); math.Abs(got-want) > 1e-6 {
			t.Errorf("row %d: %v, want %v", i, got, want)
		}
	}
}

func TestNgramsAddUpToTheirWords(t *testing.T) {
	words := []string{"station", "stations", "pizza", "42"}
	v := &vocabulary{words: words, shares: []float64{1e-3, 1e-3, 1e-3, 1e-3}}
	vectors := dense{[]float32{1, 0, 1, 0, 0, 1, 5, 5}, 2}
	f := newNgramFit(v, 1<<12)
	if len(f.rows) != 3 {
		t.Fatalf("fitted to %d words, want those with letters", len(f.rows))
	}
	got := f.mean(fitNgrams(v, vectors, 1<<12, func(int) {}))
	for i := range f.rows {
		for k, x := range got.row(i) {
			if math.Abs(float64(x-vectors.row(i)[k])) > 0.35 {
				t.Errorf("%s: value %d is %v, want about %v", words[i], k, x, vectors.row(i)[k])
			}
		}
	}
}
