package eval

import (
	"cmp"
	"math"
	"slices"
)

// entropy is that of parts of n documents, in nats.
func entropy(sizes []int, n int) float64 {
	if len(sizes) == 1 {
		return 0
	}
	sum := 0.0
	for _, size := range sizes {
		p := float64(size) / float64(n)
		sum -= p * math.Log(p)
	}
	return sum
}

// mutualInformation is what a document's cluster tells about its label, in nats.
func (t *contingency) mutualInformation() float64 {
	if len(t.labels) == 1 || len(t.clusters) == 1 {
		return 0
	}
	n := float64(t.documents)
	sum := 0.0
	for _, c := range t.cells {
		count, label, cluster := float64(c.count), float64(t.labels[c.label]), float64(t.clusters[c.cluster])
		sum += count / n * math.Log(n*count/(label*cluster))
	}
	return max(0, sum)
}

// adjusted takes from an information what chance alone would give, and from its
// largest value too, which is not below that but for rounding.
func adjusted(mutual, expected, most float64) float64 {
	const epsilon = 0x1p-52
	return min(1, (mutual-expected)/max(most-expected, epsilon))
}

// expectedMutualInformation is the mean mutual information of all clusterings
// with these sizes of labels and clusters (Vinh, Epps and Bailey 2010, equation
// 24a). It depends on the sizes alone, so those that come often count at once.
func (t *contingency) expectedMutualInformation() float64 {
	logFactorial := logFactorials(t.documents)
	clusters := countSizes(t.clusters)
	sum := 0.0
	for _, a := range countSizes(t.labels) {
		for _, b := range clusters {
			sum += float64(a.times) * float64(b.times) * expectedOverlap(a.size, b.size, logFactorial)
		}
	}
	return sum
}

// expectedOverlap is the mean information in the overlap of a label of a
// documents with a cluster of b, whose size is hypergeometric.
func expectedOverlap(a, b int, logFactorial []float64) float64 {
	n := len(logFactorial) - 1
	all := float64(n)
	constant := logFactorial[a] + logFactorial[b] + logFactorial[n-a] + logFactorial[n-b] - logFactorial[n]
	sum := 0.0
	for both := max(1, a+b-n); both <= min(a, b); both++ {
		logProbability := constant - logFactorial[both] - logFactorial[a-both] - logFactorial[b-both] - logFactorial[n-a-b+both]
		overlap := float64(both)
		sum += overlap / all * math.Log(all*overlap/(float64(a)*float64(b))) * math.Exp(logProbability)
	}
	return sum
}

// logFactorials returns the logarithms of 0! to n!.
func logFactorials(n int) []float64 {
	logs := make([]float64, n+1)
	for i := range logs {
		logs[i], _ = math.Lgamma(float64(i + 1))
	}
	return logs
}

// A sizeCount is how many labels or clusters have one size.
type sizeCount struct{ size, times int }

// countSizes returns the distinct sizes, smallest first.
func countSizes(sizes []int) []sizeCount {
	times := make(map[int]int)
	for _, size := range sizes {
		times[size]++
	}
	counts := make([]sizeCount, 0, len(times))
	for size, n := range times {
		counts = append(counts, sizeCount{size, n})
	}
	slices.SortFunc(counts, func(a, b sizeCount) int { return cmp.Compare(a.size, b.size) })
	return counts
}
