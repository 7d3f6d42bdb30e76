package eval

// A contingency table counts the documents of every label in every cluster. Its
// rows, columns and cells stand in the order in which they first come up, so
// that sums over them are the same bits each time.
type contingency struct {
	documents int
	labels    []int // sizes
	clusters  []int // sizes
	cells     []cell
}

// A cell is a label and a cluster that have documents in common.
type cell struct{ label, cluster, count int }

func newContingency[L, C comparable](truth []L, found []C) *contingency {
	t := &contingency{documents: len(truth)}
	labels, clusters := make(map[L]int), make(map[C]int)
	cells := make(map[[2]int]int)
	for i := range truth {
		row := number(labels, truth[i], &t.labels)
		column := number(clusters, found[i], &t.clusters)
		at, known := cells[[2]int{row, column}]
		if !known {
			at = len(t.cells)
			cells[[2]int{row, column}] = at
			t.cells = append(t.cells, cell{label: row, cluster: column})
		}
		t.cells[at].count++
	}
	return t
}

// number returns the number of a name, a new one if it has none yet, and counts it.
func number[N comparable](numbers map[N]int, name N, sizes *[]int) int {
	i, known := numbers[name]
	if !known {
		i = len(numbers)
		numbers[name] = i
		*sizes = append(*sizes, 0)
	}
	(*sizes)[i]++
	return i
}

// isPerfect says whether labels and clusters part the documents alike.
func (t *contingency) isPerfect() bool {
	return len(t.cells) == len(t.labels) && len(t.cells) == len(t.clusters)
}

func (t *contingency) purity() float64 {
	commonest := make([]int, len(t.clusters))
	for _, c := range t.cells {
		commonest[c.cluster] = max(commonest[c.cluster], c.count)
	}
	pure := 0
	for _, count := range commonest {
		pure += count
	}
	return float64(pure) / float64(t.documents)
}

// adjustedRand counts ordered pairs of documents: together in labels and
// clusters, in one of the two, in neither (Hubert and Arabie 1985).
func (t *contingency) adjustedRand() float64 {
	var inBoth, inLabels, inClusters float64
	for _, c := range t.cells {
		inBoth += pairs(c.count)
	}
	for _, size := range t.labels {
		inLabels += pairs(size)
	}
	for _, size := range t.clusters {
		inClusters += pairs(size)
	}
	labelsOnly, clustersOnly := inLabels-inBoth, inClusters-inBoth
	neither := pairs(t.documents) - inLabels - clustersOnly
	return 2 * (inBoth*neither - labelsOnly*clustersOnly) /
		(inLabels*(labelsOnly+neither) + inClusters*(clustersOnly+neither))
}

func pairs(n int) float64 { return float64(n) * float64(n-1) }
