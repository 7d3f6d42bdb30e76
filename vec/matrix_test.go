package vec

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

func TestDotPanelOfEveryLength(t *testing.T) {
	for _, p := range paths {
		t.Run(p.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(11, 12))
			for _, n := range lengths()[1:301] {
				for _, count := range []int{0, 1, 2, 3, 4, 5, 9} {
					checkPanel(t, p, guarded(randomRow(r, n*count)), guarded(randomRow(r, n*panel)), n, count)
				}
			}
		})
	}
}

// checkPanel leaves room between the results of one vector and the next, which
// the kernel must not touch.
func checkPanel(t *testing.T, p path, rows, xs []float32, n, count int) {
	t.Helper()
	stride := count + 2
	dst := make([]float32, panel*stride)
	for i := range dst {
		dst[i] = 42
	}
	p.dotPanel(dst, rows, xs, count, stride)
	for i, got := range dst {
		vector, row := i/stride, i%stride
		if row < count {
			checkDot(t, got, rows[row*n:(row+1)*n], xs[vector*n:(vector+1)*n])
		} else if got != 42 {
			t.Fatalf("%d rows of %d: wrote past the results of vector %d", count, n, vector)
		}
	}
}

// The rows make up several blocks and a rest.
func TestDotMatrixOfEveryShape(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	for _, n := range []int{1, 7, 100, 512, 1024, 5000} {
		for _, count := range []int{0, 1, 3, 4, 2*blockRows(n) + 3} {
			for vectors := range 2*panel + 2 {
				rows, xs := guarded(randomRow(r, n*count)), guarded(randomRow(r, n*vectors))
				dst := make([]float32, count*vectors)
				DotMatrix(dst, rows, xs, n)
				for i, got := range dst {
					vector, row := i/count, i%count
					checkDot(t, got, rows[row*n:(row+1)*n], xs[vector*n:(vector+1)*n])
				}
			}
		}
	}
}

func TestDotMatrixOfAnyValues(t *testing.T) {
	value := rapid.Float32Range(-1e15, 1e15)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 70).Draw(t, "dim")
		row := rapid.SliceOfN(value, n, n)
		xs, rows := rapid.SliceOfN(row, 0, 6).Draw(t, "xs"), rapid.SliceOfN(row, 0, 6).Draw(t, "rows")
		dst := make([]float32, len(rows)*len(xs))
		DotMatrix(dst, flat(rows), flat(xs), n)
		for i, got := range dst {
			checkDot(t, got, rows[i%len(rows)], xs[i/len(rows)])
		}
	})
}

func flat(rows [][]float32) []float32 {
	var all []float32
	for _, row := range rows {
		all = append(all, row...)
	}
	return all
}

// BenchmarkDotMatrix measures what a dot product costs, to be compared with that
// of DotRows, which passes over all rows for each vector.
func BenchmarkDotMatrix(b *testing.B) {
	const count, dim = 4000, 512
	for _, vectors := range []int{1, 4, 8, 32} {
		dst, xs := make([]float32, count*vectors), make([]float32, vectors*dim)
		rows := make([]float32, count*dim)
		for i := range rows {
			rows[i] = float32(i % 7)
		}
		perDot := func(b *testing.B) {
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(count*vectors), "ns/dot")
		}
		b.Run(fmt.Sprintf("DotRows/%dx%dx%d", vectors, count, dim), func(b *testing.B) {
			for b.Loop() {
				for i := range vectors {
					DotRows(dst[i*count:(i+1)*count], rows, xs[i*dim:(i+1)*dim])
				}
			}
			perDot(b)
		})
		b.Run(fmt.Sprintf("DotMatrix/%dx%dx%d", vectors, count, dim), func(b *testing.B) {
			for b.Loop() {
				DotMatrix(dst, rows, xs, dim)
			}
			perDot(b)
		})
	}
}
