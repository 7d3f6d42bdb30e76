package eval

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// grouped returns the vectors that testdata/sklearn_golden.py makes for labels,
// where those of a label have a part in common.
func grouped(labels []uint64, dim int) [][]float32 {
	vectors := make([][]float32, len(labels))
	for i, label := range labels {
		vectors[i] = make([]float32, dim)
		for j := range vectors[i] {
			common := noise(label*uint64(dim)+uint64(j)+1<<43) >> 44
			own := noise(uint64(i*dim+j)+1<<44) >> 44
			vectors[i][j] = float32(common+own)/(1<<20) - 1
		}
	}
	return vectors
}

func TestSilhouettesAreThoseOfTheirDefinition(t *testing.T) {
	for _, c := range readGolden(t).Silhouettes {
		truth, found := c.labels()
		got := mean(Silhouettes(grouped(truth, c.Dim), found))
		// Coordinates of 21 bits fit into a float32; only sums are rounded.
		if math.Abs(got-c.Silhouette) > 1e-6 {
			t.Errorf("%+v: %v, NumPy has %v", c, got, c.Silhouette)
		}
	}
}

func TestTightClustersFarApartHaveSilhouettesNearOne(t *testing.T) {
	vectors := [][]float32{{1, 0.001}, {1, -0.001}, {0.001, 1}, {-0.001, 1}, {-1, -1}}
	values := Silhouettes(vectors, []string{"right", "right", "up", "up", "alone"})
	for i, value := range values[:4] {
		if value < 0.99 || value > 1 {
			t.Errorf("document %d has %v", i, value)
		}
	}
	if values[4] != 0 {
		t.Errorf("a document alone has %v, not 0", values[4])
	}
}

func TestSilhouettesStayWithinTheirBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		_, found := labellings(t)
		dim := rapid.IntRange(1, 9).Draw(t, "dim")
		vectors := make([][]float32, len(found))
		for i := range vectors {
			vectors[i] = rapid.SliceOfN(rapid.Float32Range(-1, 1), dim, dim).Draw(t, "vector")
		}
		for i, value := range Silhouettes(vectors, found) {
			if !(value >= -1 && value <= 1) {
				t.Fatalf("document %d has %v", i, value)
			}
		}
	})
}

func BenchmarkSilhouettes(b *testing.B) {
	truth, found := formula{Documents: 5000, Labels: 50, Clusters: 1000, Wrong: 30}.labels()
	vectors := grouped(truth, 512)
	for b.Loop() {
		Silhouettes(vectors, found)
	}
}
