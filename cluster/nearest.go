package cluster

import "starling/vec"

// nearest returns the cluster that a single document with a vector belongs to, or
// nil if there is none. dots are the vector's dot products with the means of the
// first micro-clusters, in the order of the tree, and bound is that of their error.
//
// The mean of a cluster's documents is the weighted mean of its micro-clusters'
// means, so its dot product with the vector is that of theirs. Where the bound
// leaves open which cluster it is, float64 in a fixed order decides.
func (s *State) nearest(vector, dots []float32, bound float64) *group {
	n := nearness{linkage: s.unrelated.linkage().plain(), groups: s.groups}
	sums, weights := s.sumByGroup(dots)
	n.look(sums, weights, bound)
	if len(n.open) == 1 && n.open[0].score-bound >= n.cut {
		return n.open[0].group
	}
	best, bestScore := (*group)(nil), n.cut
	for _, c := range n.open {
		if sc := n.score(s.meanDot(c.group, vector), c.group); sc > bestScore || best == nil && sc == bestScore {
			best, bestScore = c.group, sc
		}
	}
	return best
}

// sumByGroup returns for every cluster, in the order of s.groups, the weighted sum
// of the dot products of its micro-clusters and the weight of those.
func (s *State) sumByGroup(dots []float32) (sums, weights []float64) {
	sums, weights = make([]float64, len(s.groups)), make([]float64, len(s.groups))
	s.place()
	places := s.places[:len(dots)]
	for i, dot := range dots {
		g, weight := places[i], s.tree.Weight(i)
		sums[g] += weight * float64(dot)
		weights[g] += weight
	}
	return sums, weights
}

// place makes sure that s.places is known.
func (s *State) place() {
	if s.places != nil {
		return
	}
	index := make(map[*group]int32, len(s.groups))
	for i, g := range s.groups {
		index[g] = int32(i)
	}
	s.places = make([]int32, 0, s.config.MaxMicros)
	for entry := range s.tree.Entries() {
		if m := s.micros[entry.ID]; m.group != nil { // the newest has none yet
			s.places = append(s.places, index[m.group])
		}
	}
}

// meanDot returns the dot product of a vector and the mean of a cluster's documents.
func (s *State) meanDot(g *group, vector []float32) float64 {
	var sum, weight float64
	for entry := range s.tree.Entries() {
		if s.micros[entry.ID].group != g {
			continue
		}
		dot := 0.0
		for i, x := range entry.Mean {
			dot += float64(float64(x) * float64(vector[i])) // not fused with the sum
		}
		sum += float64(entry.N * dot)
		weight += entry.N
	}
	return sum / weight
}

// A nearness finds the clusters that may be the nearest of a document.
type nearness struct {
	linkage
	groups []*group
	open   []contender
}

// A contender may be the nearest cluster; its score is within the bound.
type contender struct {
	group *group
	score float64
}

func (n *nearness) score(similarity float64, g *group) float64 {
	return score(similarity, n.lean(1), n.lean(float64(g.size)))
}

// look keeps the clusters that may be the nearest, and above the cut, by the sums
// and weights of their micro-clusters.
func (n *nearness) look(sums, weights []float64, bound float64) {
	least := n.cut // what the nearest has at least, if there is one
	for i, g := range n.groups {
		similarity := sums[i] / weights[i]
		if similarity+bound < least {
			continue // and size takes off more
		}
		sc := n.score(similarity, g)
		if sc+bound < least {
			continue
		}
		n.open = append(n.open, contender{g, sc})
		least = max(least, sc-bound)
	}
	still := n.open[:0]
	for _, c := range n.open {
		if c.score+bound >= least {
			still = append(still, c)
		}
	}
	n.open = still
}

// compared returns the dot products of a vector and the means of all
// micro-clusters, and the bound of their error.
func (s *State) compared(vector []float32) ([]float32, float64) {
	dots := make([]float32, 0, s.tree.Len())
	for entry := range s.tree.Entries() {
		dots = append(dots, vec.Dot(entry.Mean, vector))
	}
	return dots, s.tree.DotBound(vector)
}
