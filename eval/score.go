package eval

import "fmt"

// LargeSize is the number of documents from which a label or a cluster counts as
// large: below it there is too little to tell a cluster from a coincidence.
const LargeSize = 5

// Scores say how well a clustering agrees with labels. All measures are 1 when
// the clusters are the labels, whatever either are called, and when there are no
// documents; all but AMI and ARI lie between 0 and 1.
type Scores struct {
	Documents int `json:"documents"`
	// Labels and Clusters count those that are there at all, the large ones
	// those with [LargeSize] documents or more.
	Labels        int `json:"labels"`
	LargeLabels   int `json:"large_labels"`
	Clusters      int `json:"clusters"`
	LargeClusters int `json:"large_clusters"`
	// NMI is the mutual information of labels and clusters divided by the
	// arithmetic mean of their entropies, as scikit-learn has it by default.
	// Papers that divide by the geometric mean have slightly larger values.
	NMI float64 `json:"nmi"`
	// AMI is NMI adjusted for chance, with the arithmetic mean (Vinh, Epps and
	// Bailey 2010): 0 is what random clusters of the same sizes have.
	AMI float64 `json:"ami"`
	// ARI is the share of pairs of documents that labels and clusters agree
	// on, adjusted for chance (Hubert and Arabie 1985).
	ARI float64 `json:"ari"`
	// Homogeneity is 1 when every cluster has documents of one label only,
	// Completeness when all documents of a label are in one cluster, and
	// VMeasure is their harmonic mean (Rosenberg and Hirschberg 2007). It
	// equals NMI, whose normaliser is the arithmetic mean.
	Homogeneity  float64 `json:"homogeneity"`
	Completeness float64 `json:"completeness"`
	VMeasure     float64 `json:"v_measure"`
	// Purity is the share of documents that have the commonest label of their
	// cluster. Many small clusters are pure.
	Purity float64 `json:"purity"`
}

// Score compares the labels of documents with the clusters that were found:
// truth[i] and found[i] belong to one document. Names mean nothing, only which
// documents share one. Equal input gives equal bits. The cost grows with the
// documents, and for AMI with the distinct sizes of labels and clusters. Score
// panics when the lengths differ.
func Score[L, C comparable](truth []L, found []C) Scores {
	if len(truth) != len(found) {
		panic(fmt.Sprintf("eval: %d labels of %d documents", len(truth), len(found)))
	}
	return newContingency(truth, found).scores()
}

// Windows cuts a stream into n windows of consecutive documents, whose lengths
// differ by one at most, and scores each by itself, as papers on clustering
// streams do, mostly with 16. Where there are fewer documents than windows, each
// is a window.
func Windows[L, C comparable](truth []L, found []C, n int) []Scores {
	bounds := windowBounds(len(truth), n)
	windows := make([]Scores, len(bounds)-1)
	for i := range windows {
		from, to := bounds[i], bounds[i+1]
		windows[i] = Score(truth[from:to], found[from:to])
	}
	return windows
}

// windowBounds returns where windows begin, and the end of the last.
func windowBounds(documents, n int) []int {
	n = min(n, documents)
	bounds := []int{0}
	for i := 1; i <= n; i++ {
		bounds = append(bounds, i*documents/n)
	}
	return bounds
}

func (t *contingency) scores() Scores {
	s := Scores{
		Documents:     t.documents,
		Labels:        len(t.labels),
		LargeLabels:   countLarge(t.labels),
		Clusters:      len(t.clusters),
		LargeClusters: countLarge(t.clusters),
		NMI:           1, AMI: 1, ARI: 1, Homogeneity: 1, Completeness: 1, VMeasure: 1, Purity: 1,
	}
	if t.isPerfect() {
		return s
	}
	s.ARI = t.adjustedRand()
	s.Purity = t.purity()
	mutual := t.mutualInformation()
	ofLabels, ofClusters := entropy(t.labels, t.documents), entropy(t.clusters, t.documents)
	s.Homogeneity = share(mutual, ofLabels)
	s.Completeness = share(mutual, ofClusters)
	s.NMI = share(mutual, (ofLabels+ofClusters)/2)
	s.VMeasure = harmonicMean(s.Homogeneity, s.Completeness)
	s.AMI = adjusted(mutual, t.expectedMutualInformation(), (ofLabels+ofClusters)/2)
	return s
}

// share returns the share of an entropy that is explained; of none, all is.
func share(mutual, entropy float64) float64 {
	if entropy == 0 {
		return 1
	}
	return min(1, mutual/entropy)
}

func harmonicMean(a, b float64) float64 {
	if a+b == 0 {
		return 0
	}
	return 2 * a * b / (a + b)
}

func countLarge(sizes []int) int {
	large := 0
	for _, size := range sizes {
		if size >= LargeSize {
			large++
		}
	}
	return large
}
