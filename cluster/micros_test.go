package cluster

import (
	"testing"

	"starling"
)

func TestEachMicroYieldsEveryDocumentOnce(t *testing.T) {
	s := newState(t, Config{Dim: 16, Threshold: 0.6})
	documents, vectors := stream(1, 300, 5, 16)
	apply(t, s, documents, vectors)
	var total int64
	seen := make(map[starling.MicroID]bool)
	for m := range s.EachMicro() {
		if seen[m.ID] {
			t.Errorf("micro-cluster %d comes twice", m.ID)
		}
		seen[m.ID] = true
		total += m.Size
		if in, ok := s.ClusterOf(m.ID); !ok || in != m.Cluster {
			t.Errorf("micro-cluster %d: cluster %v, ClusterOf says %v", m.ID, m.Cluster, in)
		}
		if len(m.Mean) != 16 {
			t.Errorf("micro-cluster %d: a mean of %d values", m.ID, len(m.Mean))
		}
		if len(s.MicroTerms(m.ID)) == 0 {
			t.Errorf("micro-cluster %d has no terms", m.ID)
		}
	}
	if total != 300 || len(seen) != s.Micros() {
		t.Errorf("%d documents in %d micro-clusters, want 300 in %d", total, len(seen), s.Micros())
	}
	if terms := s.MicroTerms(1 << 40); terms != nil {
		t.Errorf("a micro-cluster that there is not has the terms %q", terms)
	}
}
