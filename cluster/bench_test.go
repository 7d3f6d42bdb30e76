package cluster

import (
	"fmt"
	"testing"

	"starling"
)

// full returns a state of about 3,500 clusters and documents that they take in.
func full(b *testing.B) (*State, []starling.Document, [][]float32) {
	b.Helper()
	documents, vectors := stream(9, 10_000, 3500, 512)
	s := newState(b, Config{Dim: 512, Threshold: 0.8})
	apply(b, s, documents, vectors)
	return s, documents, vectors
}

// BenchmarkApply measures a document among some thousand clusters, expected in
// batches of several sizes.
func BenchmarkApply(b *testing.B) {
	s, documents, vectors := full(b)
	for _, batch := range []int{1, 8, 32} {
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) {
			b.ReportMetric(float64(s.Len()), "clusters")
			for n := range b.N {
				at := n % len(documents)
				if n%batch == 0 {
					s.Expect(vectors[at:min(at+batch, len(vectors))])
				}
				if _, err := s.Apply(documents[at], vectors[at]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSnapshot measures the encoding of some thousand clusters.
func BenchmarkSnapshot(b *testing.B) {
	s, _, _ := full(b)
	for b.Loop() {
		b.SetBytes(int64(len(encode(b, s))))
	}
}
