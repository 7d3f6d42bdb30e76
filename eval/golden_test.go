package eval

import (
	"encoding/json"
	"math"
	"os"
	"reflect"
	"testing"
)

// A formula is a labelling that testdata/sklearn_golden.py computes too.
type formula struct {
	Documents, Labels, Clusters, Wrong int
}

// golden is what scikit-learn says; see testdata/sklearn_golden.py.
type golden struct {
	Formulas []struct {
		formula
		Scores Scores
	}
	ByHand []struct {
		Truth, Found []int
		Scores       Scores
	} `json:"by_hand"`
	Silhouettes []struct {
		formula
		Dim        int
		Silhouette float64
	}
}

func readGolden(t *testing.T) golden {
	data, err := os.ReadFile("testdata/sklearn_golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	if len(g.Formulas) == 0 || len(g.ByHand) == 0 || len(g.Silhouettes) == 0 {
		t.Fatal("the golden file lacks cases")
	}
	return g
}

// noise is splitmix64's output for the counter i.
func noise(i uint64) uint64 {
	z := i * 0x9E3779B97F4A7C15
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

func (f formula) labels() (truth, found []uint64) {
	for i := range uint64(f.Documents) {
		labels := uint64(f.Labels)
		label := noise(i) % labels * (noise(i+1<<40) % labels) / labels
		cluster := label % uint64(f.Clusters)
		if noise(i+1<<41)%100 < uint64(f.Wrong) {
			cluster = noise(i+1<<42) % uint64(f.Clusters)
		}
		truth, found = append(truth, label), append(found, cluster)
	}
	return truth, found
}

func TestScoresAreThoseOfScikitLearn(t *testing.T) {
	g := readGolden(t)
	for _, c := range g.Formulas {
		truth, found := c.labels()
		checkScores(t, c.formula, Score(truth, found), c.Scores)
	}
	for _, c := range g.ByHand {
		checkScores(t, c.Truth, Score(c.Truth, c.Found), c.Scores)
	}
}

// checkScores compares field by field: counts exactly, measures to 1e-9.
func checkScores(t *testing.T, of any, got, want Scores) {
	t.Helper()
	g, w := reflect.ValueOf(got), reflect.ValueOf(want)
	for i := range g.NumField() {
		name := g.Type().Field(i).Name
		if g.Field(i).CanInt() {
			if g.Field(i).Int() != w.Field(i).Int() {
				t.Errorf("%v: %s is %d, scikit-learn has %d", of, name, g.Field(i).Int(), w.Field(i).Int())
			}
			continue
		}
		if difference := math.Abs(g.Field(i).Float() - w.Field(i).Float()); !(difference <= 1e-9) {
			t.Errorf("%v: %s is %v, scikit-learn has %v", of, name, g.Field(i).Float(), w.Field(i).Float())
		}
	}
}
