package birch

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// A blobCase is what scikit-learn's Birch made of blobs in the plane; see
// testdata/sklearn_golden.py. Sub-clusters are numbered by first appearance.
type blobCase struct {
	Points     int          `json:"points"`
	Groups     int          `json:"groups"`
	Threshold  float64      `json:"threshold"`
	Branching  int          `json:"branching"`
	Sizes      []int        `json:"sizes"`
	LabelsHash string       `json:"labels_fnv1a"`
	Centroids  [][2]float64 `json:"centroids"`
}

// blob sets x to point number p of a stream of blobs: 8 times the centre of its
// group plus an eighth of the sum of two noises, rounded down.
func blob(x []float32, p, groups int) {
	group := uint64(noise(uint64(p)+1<<40)+1<<19) % uint64(groups)
	for i := range x {
		place := 2*uint64(p) + uint64(i)
		own := noise(place+1<<42) + noise(place+1<<43)
		x[i] = float32(8*noise(2*group+uint64(i)+1<<41)+own>>3) / (1 << 25)
	}
}

func TestSameBlobsAsScikitLearn(t *testing.T) {
	data, err := os.ReadFile("testdata/sklearn_blobs.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct{ Cases []blobCase }
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	if len(golden.Cases) != 2 {
		t.Fatalf("%d cases, want 2", len(golden.Cases))
	}
	for _, c := range golden.Cases {
		t.Run(fmt.Sprintf("T=%g", c.Threshold), func(t *testing.T) {
			t.Parallel()
			checkBlobs(t, c)
		})
	}
}

func checkBlobs(t *testing.T, c blobCase) {
	tree := mustNew(t, Config{Dim: 2, Threshold: c.Threshold, Branching: c.Branching, MaxEntries: c.Points})
	labels := make([]int, c.Points)
	x := make([]float32, 2)
	for p := range labels {
		blob(x, p, c.Groups)
		labels[p] = int(mustInsert(t, tree, x).Entry) - 1
	}
	if tree.Len() != len(c.Sizes) {
		t.Fatalf("%d leaf entries, scikit-learn has %d", tree.Len(), len(c.Sizes))
	}
	if got := hashLabels(labels); got != c.LabelsHash {
		t.Errorf("the partition's hash is %s, in scikit-learn %s", got, c.LabelsHash)
	}
	for e := range tree.Entries() {
		i := int(e.ID) - 1
		if int(e.N) != c.Sizes[i] {
			t.Errorf("leaf entry %d holds %g points, in scikit-learn %d", i, e.N, c.Sizes[i])
		}
		if want := c.Centroids[i]; math.Abs(float64(e.Mean[0])-want[0]) > 2e-8 || math.Abs(float64(e.Mean[1])-want[1]) > 2e-8 {
			t.Errorf("centroid %d is %v, in scikit-learn %v", i, e.Mean, want)
		}
	}
}

// scikit-learn's Birch(n_clusters=None, threshold=0.7, branching_factor=50) makes 990
// sub-clusters of these vectors, which only numpy can make.
func TestSameCountAsScikitLearnOnSyntheticVectors(t *testing.T) {
	tree := mustNew(t, Config{Dim: 768, Threshold: 0.7, Branching: 50, MaxEntries: 10_000})
	for _, x := range syntheticVectors(t, 10_000) {
		mustInsert(t, tree, x)
	}
	if tree.Len() != 990 {
		t.Errorf("%d leaf entries, scikit-learn has 990", tree.Len())
	}
}

// syntheticVectors returns vectors of ../shared/peers/synthetic_vectors.py, of 768
// values each. Its test is skipped without that file or numpy.
func syntheticVectors(t testing.TB, points int) [][]float32 {
	t.Helper()
	const python = "/usr/bin/python3"
	peers, err := filepath.Abs("../../shared/peers")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(peers, "synthetic_vectors.py")); err != nil {
		t.Skip("../shared/peers/synthetic_vectors.py is missing")
	}
	if err := exec.Command(python, "-c", "import numpy").Run(); err != nil {
		t.Skip(python + " with numpy is missing")
	}
	file := filepath.Join(t.TempDir(), "vectors.f32")
	code := "import sys; sys.path.insert(0, sys.argv[1]); from synthetic_vectors import gen; " +
		"gen(int(sys.argv[2]))[0].astype('<f4').tofile(sys.argv[3])"
	cmd := exec.Command(python, "-B", "-c", code, peers, fmt.Sprint(points), file)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("making vectors: %v\n%s", err, out)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) != 4*768*points {
		t.Fatalf("%d bytes are not %d vectors", len(data), points)
	}
	xs := make([][]float32, points)
	for p := range xs {
		xs[p] = make([]float32, 768)
		for i := range xs[p] {
			xs[p][i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*(768*p+i):]))
		}
	}
	return xs
}
