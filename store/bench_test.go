package store_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"starling"
	"starling/store"
)

// benchmarkDim is the dimension of the built-in model.
const benchmarkDim = 512

func BenchmarkCommit(b *testing.B) {
	for _, size := range []int{32, 256, 512, 1024} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			s, err := store.Create(b.Context(), b.TempDir(), store.Identity{Model: "m", Dim: benchmarkDim})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			var seq int64
			rows := 0
			for b.Loop() {
				if err := s.Commit(b.Context(), store.Batch{Records: benchmarkRecords(seq, size)}); err != nil {
					b.Fatal(err)
				}
				seq += int64(size)
				rows += size
			}
			b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

var benchmarkVectors = func() [][]float32 {
	random := rand.New(rand.NewPCG(1, 2))
	vectors := make([][]float32, 64)
	for i := range vectors {
		vectors[i] = make([]float32, benchmarkDim)
		for j := range vectors[i] {
			vectors[i][j] = random.Float32() - 0.5
		}
	}
	return vectors
}()

func benchmarkRecords(last int64, n int) []store.Record {
	records := make([]store.Record, n)
	for i := range records {
		seq := last + 1 + int64(i)
		micro := (seq * 7919) % 4000
		records[i] = store.Record{
			Update: starling.Update{
				Seq:        seq,
				Document:   starling.Document{ID: fmt.Sprintf("%08x-0000-4000-8000-%012x", seq*2654435761%(1<<32), seq), Text: "i feel so very tired today and cannot say why that is"},
				Assignment: starling.Assignment{Cluster: starling.ClusterID(micro + 1), Micro: starling.MicroID(micro + 1), Similarity: 0.5},
			},
			Embedding: benchmarkVectors[seq%64],
		}
	}
	return records
}
