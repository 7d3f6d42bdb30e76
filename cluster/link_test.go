package cluster

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"starling/vec"
)

// naive joins the best pair again and again, and computes everything anew each
// time, from the documents themselves.
func naive(l linkage, documents [][]float32, features [][]int, pinned []bool) []int {
	documents = withoutCommon(documents, l.common)
	groups := make([][]int, len(features)) // features of each group
	for i := range groups {
		groups[i] = []int{i}
	}
	for {
		bestI, bestJ, best := -1, -1, l.cut
		for i := range groups {
			for j := i + 1; j < len(groups); j++ {
				if holdsPin(groups[i], pinned) && holdsPin(groups[j], pinned) {
					continue
				}
				if s := naiveScore(l, documents, features, groups[i], groups[j]); s >= best && (bestI < 0 || s > best) {
					bestI, bestJ, best = i, j, s
				}
			}
		}
		if bestI < 0 {
			break
		}
		groups[bestI] = append(groups[bestI], groups[bestJ]...)
		groups = slices.Delete(groups, bestJ, bestJ+1)
	}
	found := make([]int, len(features))
	for _, g := range groups {
		for _, f := range g {
			found[f] = slices.Min(g)
		}
	}
	return found
}

// withoutCommon returns documents without their mean, made shorter where its squared
// length is above most.
func withoutCommon(documents [][]float32, most float64) [][]float32 {
	mean := make([]float32, len(documents[0]))
	for _, d := range documents {
		vec.AddScaled(mean, d, 1/float32(len(documents)))
	}
	share := min(1, math.Sqrt(most/float64(vec.Dot(mean, mean))))
	left := make([][]float32, len(documents))
	for i, d := range documents {
		left[i] = slices.Clone(d)
		vec.AddScaled(left[i], mean, -float32(share))
	}
	return left
}

func holdsPin(group []int, pinned []bool) bool {
	return slices.ContainsFunc(group, func(feature int) bool { return pinned[feature] })
}

func naiveScore(l linkage, documents [][]float32, features [][]int, a, b []int) float64 {
	var sum, pairs float64
	var sizes [2]float64
	for _, f := range a {
		sizes[0] += float64(len(features[f]))
		for _, g := range b {
			for _, i := range features[f] {
				for _, j := range features[g] {
					sum += float64(vec.Dot(documents[i], documents[j]))
					pairs++
				}
			}
		}
	}
	for _, g := range b {
		sizes[1] += float64(len(features[g]))
	}
	return sum/pairs - l.evidence/math.Sqrt(sizes[0]*sizes[1]) - l.reserve*math.Log10(min(sizes[0], sizes[1]))
}

// The groups are those that the mean cosine of all pairs of documents gives.
func TestLinkageIsTheAverageOverDocuments(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const dim = 6
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		n := rapid.IntRange(1, 25).Draw(t, "features")
		centres := make([][]float32, 5)
		for i := range centres {
			centres[i] = noisy(random, make([]float32, dim), 1)
		}
		var documents [][]float32
		members := make([][]int, n)
		weights, means := make([]float64, n), make([]float32, n*dim)
		pinned := rapid.SliceOfN(rapid.Bool(), n, n).Draw(t, "pinned")
		for f := range members {
			size := 1 + random.IntN(4)
			for range size {
				vector := noisy(random, centres[f%5], 0.6)
				members[f] = append(members[f], len(documents))
				documents = append(documents, vector)
				vec.AddScaled(means[f*dim:(f+1)*dim], vector, 1/float32(size))
			}
			weights[f] = float64(size)
		}
		l := linkage{cut: rapid.Float64Range(-0.5, 0.9).Draw(t, "cut"), evidence: rapid.Float64Range(0, 0.5).Draw(t, "evidence"),
			reserve: rapid.Float64Range(0, 0.2).Draw(t, "reserve"), common: rapid.SampledFrom([]float64{0, 0.01, 0.1, 1}).Draw(t, "common")}
		got := l.group(features{dim: dim, weights: weights, means: means, pinned: pinned}, new(room))
		want := naive(l, documents, members, pinned)
		if !slices.Equal(got, want) {
			t.Fatalf("groups %v, want %v", got, want)
		}
	})
}

// More documents speak louder: what two pairs of documents have in common joins
// large groups of such documents, and not the documents alone.
func TestEvidenceGrowsWithDocuments(t *testing.T) {
	l := linkage{cut: 0.1, evidence: 0.2}
	means := []float32{1, 0, 0.2, 0.9} // cosine 0.2
	if got := l.group(features{dim: 2, weights: []float64{1, 1}, means: means}, new(room)); got[1] != 1 {
		t.Error("two documents that are hardly alike were joined")
	}
	if got := l.group(features{dim: 2, weights: []float64{10, 10}, means: means}, new(room)); got[1] != 0 {
		t.Error("two groups of ten that are as much alike were not joined")
	}
}

// What two topics have in common joins small groups about them, and not large ones.
func TestLargeGroupsKeepTheirReserve(t *testing.T) {
	l := linkage{cut: 0.1, reserve: 0.05}
	means := []float32{1, 0, 0.2, 0.9} // cosine 0.2
	for weight, joined := range map[float64]bool{10: true, 1000: false} {
		got := l.group(features{dim: 2, weights: []float64{weight, weight}, means: means}, new(room))
		if (got[1] == 0) != joined {
			t.Errorf("groups of %v documents: joined %v", weight, !joined)
		}
	}
}

// What all documents have in common joins no two topics, and what one topic has in
// common with itself is not taken from a stream of nothing else.
func TestWhatAllHaveInCommonJoinsNothing(t *testing.T) {
	weights := []float64{50, 50, 50, 50}
	topics := func() []float32 { // cosine 0.2 by the first value, 0.6 within a topic
		return []float32{0.45, 0.6, 0.2, 0, 0.45, 0.6, -0.2, 0, 0.45, 0, 0.2, 0.6, 0.45, 0, -0.2, 0.6}
	}
	l := linkage{common: 0.2, cut: 0.15}
	if got := l.group(features{dim: 4, weights: weights, means: topics()}, new(room)); !slices.Equal(got, []int{0, 0, 2, 2}) {
		t.Errorf("two topics became the groups %v", got)
	}
	if got := (linkage{cut: 0.15}).group(features{dim: 4, weights: weights, means: topics()}, new(room)); got[2] != 0 {
		t.Error("the topics have too little in common to be told apart: the test shows nothing")
	}
	one := []float32{0.7, 0.3, 0, 0, 0.7, -0.3, 0, 0, 0.7, 0, 0.3, 0, 0.7, 0, -0.3, 0}
	if got := (linkage{common: 0.05, cut: 0.15}).group(features{dim: 4, weights: weights, means: one}, new(room)); slices.Max(got) != 0 {
		t.Errorf("one topic became the groups %v", got)
	}
}

func BenchmarkLink(b *testing.B) {
	const n, dim = 4000, 512
	random := rand.New(rand.NewPCG(1, 1))
	weights, means := make([]float64, n), make([]float32, 0, n*dim)
	centres := make([][]float32, 300)
	for i := range centres {
		centres[i] = noisy(random, make([]float32, dim), 1)
	}
	for i := range weights {
		weights[i] = float64(1 + random.IntN(9))
		means = append(means, noisy(random, centres[random.IntN(len(centres))], 1.5)...)
	}
	for b.Loop() {
		linkage{cut: 0.1, evidence: 0.2, reserve: 0.02}.group(features{dim: dim, weights: weights, means: means}, new(room))
	}
}
