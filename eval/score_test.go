package eval

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// labellings draws the labels and clusters of some documents.
func labellings(t *rapid.T) (truth, found []int) {
	n := rapid.IntRange(0, 200).Draw(t, "documents")
	label := rapid.IntRange(0, rapid.IntRange(0, 30).Draw(t, "labels"))
	cluster := rapid.IntRange(0, rapid.IntRange(0, 200).Draw(t, "clusters"))
	return rapid.SliceOfN(label, n, n).Draw(t, "truth"), rapid.SliceOfN(cluster, n, n).Draw(t, "found")
}

func TestNamesOfLabelsMeanNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		truth, found := labellings(t)
		names := rapid.Permutation([]string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p",
			"q", "r", "s", "t", "u", "v", "w", "x", "y", "z", "ä", "ö", "ü", "", " "}).Draw(t, "names")
		renamed := make([]string, len(truth))
		for i, label := range truth {
			renamed[i] = names[label]
		}
		if got, want := Score(renamed, found), Score(truth, found); got != want {
			t.Fatalf("%+v under other names, %+v before", got, want)
		}
	})
}

func TestScoresStayWithinTheirBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Score(labellings(t))
		for name, value := range map[string]float64{
			"NMI": s.NMI, "homogeneity": s.Homogeneity, "completeness": s.Completeness, "V-measure": s.VMeasure, "purity": s.Purity,
		} {
			if !(value >= 0 && value <= 1) {
				t.Fatalf("%s is %v", name, value)
			}
		}
		// The smallest ARI is -1/2 (Chacón and Rastrojo 2023); AMI has no
		// such bound, but for one that is finite.
		if !(s.ARI >= -0.5 && s.ARI <= 1) || !(s.AMI <= 1) || math.IsInf(s.AMI, 0) {
			t.Fatalf("ARI %v, AMI %v", s.ARI, s.AMI)
		}
		if math.Abs(s.NMI-s.VMeasure) > 1e-12 {
			t.Fatalf("NMI %v is not the V-measure %v", s.NMI, s.VMeasure)
		}
	})
}

func TestLabelsFoundExactlyScoreOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		truth, _ := labellings(t)
		found := make([]string, len(truth))
		for i, label := range truth {
			found[i] = fmt.Sprint("cluster ", label)
		}
		s := Score(truth, found)
		if s.NMI != 1 || s.AMI != 1 || s.ARI != 1 || s.Homogeneity != 1 || s.Completeness != 1 || s.VMeasure != 1 || s.Purity != 1 {
			t.Fatalf("%+v", s)
		}
		if s.Documents != len(truth) || s.Labels != s.Clusters || s.LargeLabels != s.LargeClusters {
			t.Fatalf("%+v", s)
		}
	})
}

func TestLabelsAndClustersMayBeSwapped(t *testing.T) {
	const close = 1e-10
	rapid.Check(t, func(t *rapid.T) {
		truth, found := labellings(t)
		s, swapped := Score(truth, found), Score(found, truth)
		for name, difference := range map[string]float64{
			"NMI": s.NMI - swapped.NMI, "AMI": s.AMI - swapped.AMI, "ARI": s.ARI - swapped.ARI,
			"homogeneity": s.Homogeneity - swapped.Completeness,
		} {
			if !(math.Abs(difference) <= close) {
				t.Fatalf("%s differs by %v", name, difference)
			}
		}
	})
}

func TestRandomClustersScoreNothingOnceAdjusted(t *testing.T) {
	truth, found := formula{Documents: 20000, Labels: 20, Clusters: 500, Wrong: 100}.labels()
	s := Score(truth, found)
	if math.Abs(s.AMI) > 0.005 || math.Abs(s.ARI) > 0.005 || s.NMI < 0.05 {
		t.Errorf("AMI %v and ARI %v should be about 0, NMI %v should not", s.AMI, s.ARI, s.NMI)
	}
}

func TestWindowsHoldEveryDocumentOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		truth, found := labellings(t)
		n := rapid.IntRange(1, 20).Draw(t, "windows")
		documents, windows := len(truth), Windows(truth, found, n)
		if len(windows) != min(n, len(truth)) {
			t.Fatalf("%d windows of %d documents, want %d", len(windows), len(truth), n)
		}
		for _, w := range windows {
			if want := Score(truth[:w.Documents], found[:w.Documents]); w != want {
				t.Fatalf("a window has %+v, its documents have %+v", w, want)
			}
			if short := documents / len(windows); w.Documents != short && w.Documents != short+1 {
				t.Fatalf("%d documents in one of %d windows of %d", w.Documents, len(windows), documents)
			}
			truth, found = truth[w.Documents:], found[w.Documents:]
		}
		if len(truth) > 0 {
			t.Fatalf("%d documents are in no window", len(truth))
		}
	})
}

func TestSequencesOfDifferentLengthPanic(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("two labels of three documents were scored")
		}
	}()
	Score([]int{1, 2}, []int{1, 2, 3})
}

func BenchmarkScore(b *testing.B) {
	truth, found := formula{Documents: 30000, Labels: 300, Clusters: 4000, Wrong: 30}.labels()
	for b.Loop() {
		Score(truth, found)
	}
}
