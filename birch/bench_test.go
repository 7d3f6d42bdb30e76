package birch

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// distinct returns a tree of a number of entries and vectors that they absorb.
func distinct(b *testing.B, dim, entries, scanLimit int) (*Tree, [][]float32) {
	b.Helper()
	tree := mustNew(b, Config{Dim: dim, Threshold: 1e-3, MaxEntries: 2 * entries, ScanLimit: scanLimit})
	xs := make([][]float32, entries)
	for p := range xs {
		xs[p] = make([]float32, dim)
		grouped(xs[p], p, 50)
		mustInsert(b, tree, xs[p])
	}
	if tree.Len() != entries {
		b.Fatalf("%d entries, want %d", tree.Len(), entries)
	}
	// By descent a vector may miss the entry that it made.
	return tree, slices.DeleteFunc(xs, func(x []float32) bool {
		f, err := tree.vector(x, make([]float64, dim))
		if err != nil {
			b.Fatal(err)
		}
		_, absorbs := tree.lookup(&f)
		return !absorbs
	})
}

// BenchmarkInsert measures the insertion of a vector that an entry absorbs: by
// descent, by a scan, and by a scan of 32 expected vectors together.
func BenchmarkInsert(b *testing.B) {
	for _, dim := range []int{512, 768} {
		for _, entries := range []int{1000, 5000} {
			for _, lookup := range []string{"tree", "scan", "batch"} {
				b.Run(fmt.Sprintf("%s/d=%d/entries=%d", lookup, dim, entries), func(b *testing.B) {
					scanLimit := 2 * entries
					if lookup == "tree" {
						scanLimit = 0
					}
					tree, xs := distinct(b, dim, entries, scanLimit)
					b.ReportAllocs()
					b.ResetTimer()
					for i := range b.N {
						if lookup == "batch" && i%len(xs) == 0 {
							tree.Expect(xs)
						}
						mustInsert(b, tree, xs[i%len(xs)])
					}
				})
			}
		}
	}
}

// BenchmarkMillion inserts a million vectors by descent into a tree of at most
// 5,000 entries, from an empty one on, rebuilds included. The stream is one of 20,000
// vectors in 4,000 groups, again and again.
func BenchmarkMillion(b *testing.B) {
	const points, dim = 1_000_000, 768
	xs := make([][]float32, 20_000)
	for p := range xs {
		xs[p] = make([]float32, dim)
		grouped(xs[p], p, 4000)
	}
	for b.Loop() {
		tree := mustNew(b, Config{Dim: dim, Threshold: 0.7})
		for p := range points {
			mustInsert(b, tree, xs[p%len(xs)])
		}
		b.ReportMetric(float64(tree.Len()), "entries")
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/points, "ns/insert")
}

// BenchmarkSynthetic10000 inserts the vectors that scikit-learn's and ELKI's figures
// are of, by descent.
func BenchmarkSynthetic10000(b *testing.B) {
	const dim = 768
	xs := syntheticVectors(b, 10_000)
	for b.Loop() {
		tree := mustNew(b, Config{Dim: dim, Threshold: 0.7, MaxEntries: 10_000})
		for _, x := range xs {
			mustInsert(b, tree, x)
		}
		b.ReportMetric(float64(tree.Len()), "entries")
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(xs)), "ns/insert")
}

// BenchmarkStream10000 measures a stream of 10,000 vectors from an empty tree on.
func BenchmarkStream10000(b *testing.B) {
	const points, dim = 10_000, 768
	xs := make([][]float32, points)
	for p := range xs {
		xs[p] = make([]float32, dim)
		grouped(xs[p], p, 1000)
	}
	for b.Loop() {
		tree := mustNew(b, Config{Dim: dim, Threshold: 0.75})
		for _, x := range xs {
			mustInsert(b, tree, x)
		}
		b.ReportMetric(float64(tree.Len()), "entries")
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/points, "ns/insert")
}

// BenchmarkLongStream inserts 200,000 vectors, a tenth of them like no other, and
// reports the time of the last tenth of the inserts over that of the first.
func BenchmarkLongStream(b *testing.B) {
	const points, dim = 200_000, 128
	for _, c := range []Config{{ScanLimit: 0}, {ScanLimit: 2000}, {Criterion: Cosine}} {
		c.Dim, c.Threshold, c.MaxEntries = dim, 0.2, 2000
		b.Run(fmt.Sprintf("%v/scan=%d", c.Criterion, c.ScanLimit), func(b *testing.B) {
			var first, last time.Duration
			for b.Loop() {
				first, last = tenths(b, mustNew(b, c), points)
			}
			b.ReportMetric(float64(last)/float64(first), "last/first")
			b.ReportMetric(float64(last.Nanoseconds())/(points/10), "ns/insert")
		})
	}
}

// tenths inserts a stream and returns how long its first and its last tenth took.
func tenths(b *testing.B, tree *Tree, points int) (first, last time.Duration) {
	b.Helper()
	x := make([]float32, tree.config.Dim)
	for p := range points {
		groups := 300
		if p%10 == 0 {
			groups = 1 << 18
		}
		grouped(x, p, groups)
		start := time.Now()
		mustInsert(b, tree, x)
		switch took := time.Since(start); {
		case p < points/10:
			first += took
		case p >= points-points/10:
			last += took
		}
	}
	return first, last
}

// BenchmarkRebuild measures the insertion that finds a full tree.
func BenchmarkRebuild(b *testing.B) {
	const dim, entries = 768, 5000
	for _, c := range []Config{{Criterion: Radius}, {Criterion: Cosine}, {Criterion: Cosine, ScanLimit: entries}} {
		b.Run(fmt.Sprintf("%v/scan=%d", c.Criterion, c.ScanLimit), func(b *testing.B) {
			c.Dim, c.Threshold, c.MaxEntries = dim, 0.1, entries
			tree := mustNew(b, c)
			x := make([]float32, dim)
			for p := 0; tree.Len() < entries; p++ {
				grouped(x, p, 1000)
				mustInsert(b, tree, x)
			}
			for b.Loop() {
				full := *tree
				full.rebuild()
				b.ReportMetric(float64(full.Len()), "entries")
			}
		})
	}
}

func BenchmarkNearest(b *testing.B) {
	tree, xs := distinct(b, 768, 5000, 0)
	for i := range b.N {
		if _, err := tree.Nearest(xs[i%len(xs)], 10); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	tree, _ := distinct(b, 768, 5000, 0)
	var buf []byte
	for b.Loop() {
		buf, _ = tree.AppendBinary(buf[:0])
	}
	b.SetBytes(int64(len(buf)))
}

func BenchmarkDecode(b *testing.B) {
	tree, _ := distinct(b, 768, 5000, 0)
	buf := encoded(b, tree)
	b.SetBytes(int64(len(buf)))
	for b.Loop() {
		if _, err := Decode(buf); err != nil {
			b.Fatal(err)
		}
	}
}
