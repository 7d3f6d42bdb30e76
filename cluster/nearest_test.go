package cluster

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"starling"
)

// nearestPlainly is nearest without any bound.
func nearestPlainly(s *State, vector []float32) (best *group) {
	l := s.unrelated.linkage().plain()
	bestScore := l.cut
	for _, g := range s.groups {
		sc := score(s.meanDot(g, vector), l.lean(1), l.lean(float64(g.size)))
		if sc > bestScore || best == nil && sc == bestScore {
			best, bestScore = g, sc
		}
	}
	return best
}

// A document that begins a micro-cluster comes to the cluster that float64 finds,
// however rough the dot products are, and whatever happened to the clusters before.
func TestNearestIsThatOfFloat64(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		documents, vectors := stream(seed, 300, 12, 16)
		s := newState(t, Config{
			Dim: 16, MaxMicros: 40, HalfLife: rapid.SampledFrom([]int64{0, 100}).Draw(t, "half-life"),
			Threshold: rapid.SampledFrom([]float64{0, 0.3, 0.6}).Draw(t, "threshold"),
		})
		random := rand.New(rand.NewPCG(seed, 1))
		for i, d := range documents {
			if len(s.groups) > 1 && random.IntN(20) == 0 {
				mergeTwo(t, s, random)
			}
			checkNearest(t, s, vectors[i], random)
			if _, err := s.Apply(d, vectors[i]); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func mergeTwo(t *rapid.T, s *State, random *rand.Rand) {
	t.Helper()
	i := random.IntN(len(s.groups) - 1)
	_, err := s.Edit(starling.Edit{
		Kind: starling.EditMerge, Cluster: s.groups[i].id, From: []starling.ClusterID{s.groups[i+1].id},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// checkNearest compares nearest with nearestPlainly, given dot products that are
// off by up to a bound.
func checkNearest(t *rapid.T, s *State, vector []float32, random *rand.Rand) {
	t.Helper()
	want := nearestPlainly(s, vector)
	for _, off := range []float64{0, 0.001, 0.05} {
		dots, bound := s.compared(vector)
		for i := range dots {
			dots[i] += float32(off * (2*random.Float64() - 1))
		}
		if got := s.nearest(vector, dots, bound+off*(1+0x1p-20)); got != want {
			t.Fatalf("dot products off by %v: the nearest cluster is %v, want %v", off, name(got), name(want))
		}
	}
	if _, bound := s.compared(vector); bound > 1e-5*math.Sqrt(16) {
		t.Fatalf("the bound is %v", bound)
	}
}

func name(g *group) starling.ClusterID {
	if g == nil {
		return 0
	}
	return g.id
}
