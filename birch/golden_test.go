package birch

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"os"
	"slices"
	"strconv"
	"testing"
)

// A goldenCase is what scikit-learn's Birch made of some vectors; see
// testdata/sklearn_golden.py.
type goldenCase struct {
	Points      int                  `json:"points"`
	Dim         int                  `json:"dim"`
	Groups      int                  `json:"groups"`
	Threshold   float64              `json:"threshold"`
	Branching   int                  `json:"branching"`
	Subclusters int                  `json:"subclusters"`
	Largest     []int                `json:"largest"`
	LabelsHash  string               `json:"labels_fnv1a"`
	FirstLabels []int                `json:"first_labels"`
	Centroids   map[string][]float64 `json:"centroids"`
}

// noise is 20 bits of splitmix64's output for the counter i, centred on 0.
func noise(i uint64) int64 {
	z := i * 0x9E3779B97F4A7C15
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	z ^= z >> 31
	return int64(z>>44) - 1<<19
}

// grouped sets x to point number p of a stream of grouped vectors: 4 times the
// centre of its group plus 3 times noise.
func grouped(x []float32, p, groups int) {
	group := uint64(noise(uint64(p)+1<<40)+1<<19) % uint64(groups)
	dim := uint64(len(x))
	for i := range x {
		centre := noise(group*dim + uint64(i) + 1<<41)
		own := noise(uint64(p)*dim + uint64(i) + 1<<42)
		x[i] = float32(4*centre+3*own) / (1 << 25)
	}
}

func TestSameSubclustersAsScikitLearn(t *testing.T) {
	data, err := os.ReadFile("testdata/sklearn_golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct{ Cases []goldenCase }
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	if len(golden.Cases) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range golden.Cases {
		t.Run(fmt.Sprintf("d=%d,T=%g,B=%d", c.Dim, c.Threshold, c.Branching), func(t *testing.T) {
			t.Parallel()
			checkGolden(t, c)
		})
	}
}

func checkGolden(t *testing.T, c goldenCase) {
	tree, err := New(Config{Dim: c.Dim, Threshold: c.Threshold, Branching: c.Branching, MaxEntries: c.Points})
	if err != nil {
		t.Fatal(err)
	}
	labels := make([]int, c.Points)
	sizes := make([]int, c.Points)
	x := make([]float32, c.Dim)
	for p := range labels {
		grouped(x, p, c.Groups)
		in, err := tree.Insert(x)
		if err != nil {
			t.Fatal(err)
		}
		// Ids number the entries by first appearance, as the golden labels do.
		labels[p] = int(in.Entry) - 1
		sizes[labels[p]]++
	}
	if tree.Len() != c.Subclusters {
		t.Errorf("%d leaf entries, scikit-learn has %d", tree.Len(), c.Subclusters)
	}
	slices.SortFunc(sizes, func(a, b int) int { return b - a })
	if got := sizes[:len(c.Largest)]; !slices.Equal(got, c.Largest) {
		t.Errorf("largest leaf entries hold %v, in scikit-learn %v", got, c.Largest)
	}
	if got := labels[:len(c.FirstLabels)]; !slices.Equal(got, c.FirstLabels) {
		t.Errorf("first points are in %v, in scikit-learn in %v", got, c.FirstLabels)
	}
	if got := hashLabels(labels); got != c.LabelsHash {
		t.Errorf("the partition's hash is %s, in scikit-learn %s", got, c.LabelsHash)
	}
	checkCentroids(t, tree, c.Centroids)
}

func hashLabels(labels []int) string {
	h := fnv.New64a()
	for _, l := range labels {
		_ = binary.Write(h, binary.LittleEndian, uint32(l)) // a hash takes every write
	}
	return fmt.Sprintf("%016x", h.Sum64())
}

func checkCentroids(t *testing.T, tree *Tree, centroids map[string][]float64) {
	for label, want := range centroids {
		l, err := strconv.Atoi(label)
		if err != nil {
			t.Fatal(err)
		}
		entry, ok := tree.Entry(ID(l + 1))
		if !ok {
			t.Errorf("no leaf entry %d", l+1)
			continue
		}
		for i := range want {
			if math.Abs(float64(entry.Mean[i])-want[i]) > 1e-5 {
				t.Errorf("centroid %s is %v, in scikit-learn %v", label, entry.Mean[:len(want)], want)
				break
			}
		}
	}
}
