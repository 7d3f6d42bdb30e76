package store_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"starling"
	"starling/store"
	"starling/vec"
)

// benchmarkDim is the dimension of the built-in model.
const benchmarkDim = 512

// benchmarkMicros is over how many micro-clusters the documents are spread.
const benchmarkMicros = 4000

var benchmarkVectors = func() [][]float32 {
	random := rand.New(rand.NewPCG(1, 2))
	vectors := make([][]float32, 64)
	for i := range vectors {
		vectors[i] = make([]float32, benchmarkDim)
		for j := range vectors[i] {
			vectors[i][j] = random.Float32() - 0.5
		}
		vec.RoundHalf(vectors[i]) // as a run does
	}
	return vectors
}()

func benchmarkID(seq int64) string {
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", uint32(seq*2654435761), seq)
}

func benchmarkRecords(last int64, n int) []store.Record {
	records := make([]store.Record, n)
	for i := range records {
		seq := last + 1 + int64(i)
		micro := seq * 7919 % benchmarkMicros
		records[i] = store.Record{
			Update: starling.Update{
				Seq:        seq,
				Document:   starling.Document{ID: benchmarkID(seq), Text: "i feel so very tired today and cannot say why that is"},
				Assignment: starling.Assignment{Cluster: starling.ClusterID(micro + 1), Micro: starling.MicroID(micro + 1), Similarity: 0.5},
			},
			Embedding: benchmarkVectors[seq%64],
		}
	}
	return records
}

func benchmarkStore(b *testing.B, documents int64) *store.Store {
	b.Helper()
	s, err := store.Create(b.Context(), b.TempDir(), store.Identity{Model: "m", Dim: benchmarkDim})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { closeStore(b, s) })
	const batch = 8192
	for last := int64(0); last < documents; last += batch {
		commit(b, s, store.Batch{Records: benchmarkRecords(last, int(min(batch, documents-last)))})
	}
	return s
}

// BenchmarkCommit shows durable rows a second, the index of ids and members
// included, by the size of the batches.
func BenchmarkCommit(b *testing.B) {
	for _, size := range []int{32, 256, 512, 1024} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			s := benchmarkStore(b, 0)
			var seq int64
			for b.Loop() {
				commit(b, s, store.Batch{Records: benchmarkRecords(seq, size)})
				seq += int64(size)
			}
			b.ReportMetric(float64(seq)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkRegroup commits an update in which 2,000 micro-clusters join others,
// 4 clusters end and 1,000 micro-clusters are split off, of 4,000.
func BenchmarkRegroup(b *testing.B) {
	const micros = 4000
	for b.Loop() {
		b.StopTimer()
		s := create(b, b.TempDir())
		commit(b, s, store.Batch{Records: microRecords(micros)})
		next := one(micros+1, 1, 1, regrouping(micros)...)
		b.StartTimer()
		commit(b, s, next)
	}
}

// BenchmarkKnown looks batches of 32 ids up in a state of 200,000 documents.
func BenchmarkKnown(b *testing.B) {
	const documents, batch = 200_000, 32
	s := benchmarkStore(b, documents)
	for name, first := range map[string]int64{"new": documents + 1, "known": 1} {
		b.Run(name, func(b *testing.B) {
			ids := make([]string, batch)
			var n int64
			for b.Loop() {
				for i := range ids {
					ids[i] = benchmarkID(first + n%(documents-batch))
					n += 37
				}
				if _, err := s.Known(b.Context(), ids); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(batch*float64(b.N)/b.Elapsed().Seconds(), "ids/s")
		})
	}
}

// BenchmarkOpen opens a state of 200,000 documents, as a restart does before it
// replays the journal.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	s, err := store.Create(b.Context(), dir, store.Identity{Model: "m", Dim: benchmarkDim})
	if err != nil {
		b.Fatal(err)
	}
	for last := int64(0); last < 200_000; last += 8000 {
		commit(b, s, store.Batch{Records: benchmarkRecords(last, 8000)})
	}
	closeStore(b, s)
	for b.Loop() {
		s, err := store.Open(b.Context(), dir)
		if err != nil {
			b.Fatal(err)
		}
		closeStore(b, s)
	}
}

// BenchmarkJournal reads a state of 20,000 documents with their embeddings.
func BenchmarkJournal(b *testing.B) {
	const documents = 20_000
	s := benchmarkStore(b, documents)
	for b.Loop() {
		for _, err := range s.Journal(b.Context(), 0) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(documents*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkTrim shows what it costs that as many documents leave as come, in a
// state of 50,000: rows a second with and without, the longest time that a commit
// waits for it, and how large the file is.
func BenchmarkTrim(b *testing.B) {
	for _, keep := range []int64{0, 50_000} {
		b.Run(fmt.Sprintf("keep=%d", keep), func(b *testing.B) {
			s := benchmarkStore(b, 0)
			var seq int64
			var longest time.Duration
			for b.Loop() {
				for range 10 {
					commit(b, s, store.Batch{Records: benchmarkRecords(seq, 1024), Snapshot: &store.Snapshot{Seq: seq}})
					seq += 1024
				}
				if keep == 0 {
					continue
				}
				for n := int64(1); n > 0; {
					started := time.Now()
					var err error
					if n, err = s.Trim(b.Context(), store.Retention{Documents: keep, Unpublished: true}); err != nil {
						b.Fatal(err)
					}
					longest = max(longest, time.Since(started))
				}
			}
			size, err := s.Size()
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(seq)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(longest.Microseconds())/1000, "ms/longest")
			b.ReportMetric(float64(size)/(1<<20), "MiB")
			b.ReportMetric(float64(s.Count(b, "SELECT coalesce(sum(pgsize), 0) FROM dbstat('main', 1) WHERE name = 'ids'"))/float64(seq), "B/id")
		})
	}
}
