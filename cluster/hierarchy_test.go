package cluster

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Every cut holds each micro-cluster once, a higher one only divides the parts of
// a lower one, and the extremes are one part and all micro-clusters apart.
func TestCutsAreNested(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		documents, vectors := stream(rapid.Uint64().Draw(t, "seed"), rapid.IntRange(1, 150).Draw(t, "documents"), 20, 8)
		s := newState(t, Config{Dim: 8, Threshold: 0.4})
		for i, d := range documents {
			if _, err := s.Apply(d, vectors[i]); err != nil {
				t.Fatal(err)
			}
		}
		h := s.Hierarchy()
		above := h.Cut(-2)
		if len(above) != 1 || above[0].Size != s.Documents() || len(above[0].Micros) != s.Micros() {
			t.Fatalf("everything is %+v", above)
		}
		for cut := -1.0; cut <= 1; cut += 0.2 {
			below := h.Cut(cut)
			micros := 0
			for _, part := range below {
				micros += len(part.Micros)
				if !slices.ContainsFunc(above, func(b Branch) bool { return containsAll(b, part) }) {
					t.Fatalf("a part of the cut at %v is in no part of the one before", cut)
				}
			}
			if micros != s.Micros() {
				t.Fatalf("the cut at %v has %d micro-clusters of %d", cut, micros, s.Micros())
			}
			above = below
		}
		if apart := h.Cut(1.01); len(apart) != s.Micros() {
			t.Fatalf("%d parts of %d micro-clusters", len(apart), s.Micros())
		}
	})
}

func containsAll(b, part Branch) bool {
	for _, m := range part.Micros {
		if _, ok := slices.BinarySearch(b.Micros, m); !ok {
			return false
		}
	}
	return true
}

func TestAnEmptyStateHasNoBranches(t *testing.T) {
	if got := newState(t, Config{Dim: 3}).Hierarchy().Cut(0); len(got) != 0 {
		t.Errorf("branches %v", got)
	}
}

func TestWarnings(t *testing.T) {
	one := newState(t, Config{Dim: 8, Threshold: 0.9, Unrelated: Calibration{Mean: 0, Deviation: 0.1}})
	documents, vectors := stream(1, 400, 1, 8)
	apply(t, one, documents[:100], vectors)
	if got := one.Warning(); got != "" {
		t.Errorf("too early: %s", got)
	}
	apply(t, one, documents[100:], vectors[100:])
	if got := one.Warning(); !strings.Contains(got, "100% of all documents") {
		t.Errorf("one topic: %q", got)
	}
	alone := newState(t, Config{Dim: 512, Threshold: 0.2})
	documents, vectors = stream(2, 400, 8000, 512)
	apply(t, alone, documents, vectors)
	if got := alone.Warning(); !strings.Contains(got, "are alone") {
		t.Errorf("every document another topic: %q", got)
	}
	fine := newState(t, Config{Dim: 64})
	documents, vectors = stream(3, 400, 5, 64)
	apply(t, fine, documents, vectors)
	if got := fine.Warning(); got != "" {
		t.Errorf("five topics: %s", got)
	}
}

func TestNearDuplicatesAreCounted(t *testing.T) {
	documents, vectors := stream(3, 10, 1, 64)
	s := newState(t, Config{Dim: 64})
	for range 3 {
		for i, d := range documents {
			if _, err := s.Apply(d, vectors[i]); err != nil {
				t.Fatal(err)
			}
		}
	}
	apart := newState(t, Config{Dim: 64, Threshold: 0.05})
	for range 3 {
		apply(t, apart, documents, vectors)
	}
	var got int64
	for _, c := range apart.Clusters(0) {
		got += c.Duplicates
	}
	if got != 20 {
		t.Errorf("%d near-duplicates of 20", got)
	}
}
