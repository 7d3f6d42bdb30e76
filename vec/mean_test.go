package vec

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func widen(x []float32) []float64 {
	wide := make([]float64, len(x))
	for i, v := range x {
		wide[i] = float64(v)
	}
	return wide
}

func TestMoveMeanFollowsItsFormula(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, n := range lengths() {
		before, x := widen(randomRow(r, n)), widen(randomRow(r, n))
		mean, row := slices.Clone(before), make([]float32, n)
		distance2, norm2 := MoveMean(mean, row, x, 0.25)
		var wantDistance, wantNorm float64
		if apart := Distance64(before, x); apart != distance2 {
			t.Fatalf("length %d: Distance64 gives %g, MoveMean %g", n, apart, distance2)
		}
		for i := range x {
			want := 0.75*before[i] + 0.25*x[i]
			if math.Abs(mean[i]-want) > 1e-14 || row[i] != float32(mean[i]) {
				t.Fatalf("value %d of %d is %g and %g, want %g", i, n, mean[i], row[i], want)
			}
			wantDistance += (x[i] - before[i]) * (x[i] - before[i])
			wantNorm += want * want
		}
		if math.Abs(distance2-wantDistance) > 1e-12*wantDistance || math.Abs(norm2-wantNorm) > 1e-12*wantNorm {
			t.Fatalf("length %d: squared distance %g and norm %g, want %g and %g", n, distance2, norm2, wantDistance, wantNorm)
		}
		if again := Dot64(mean, mean); again != norm2 {
			t.Fatalf("length %d: Dot64 gives the squared norm %g, MoveMean %g", n, again, norm2)
		}
	}
}

func TestMoveMeanHasTheSameBitsOnEveryPath(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for n := 0; n <= 1024; n += block {
		before, x, w := widen(randomRow(r, n)), widen(randomRow(r, n)), r.Float64()
		var wantSums [2 * block]float64
		wantMean, wantRow := slices.Clone(before), make([]float32, n)
		moveMeanGeneric(wantMean, wantRow, x, w, &wantSums)
		for _, p := range paths {
			var sums [2 * block]float64
			mean, row := slices.Clone(before), make([]float32, n)
			p.moveMean(mean, row, x, w, &sums)
			if !slices.Equal(mean, wantMean) || !slices.Equal(row, wantRow) || sums != wantSums {
				t.Fatalf("length %d: %s differs from plain Go", n, p.name)
			}
		}
	}
}

func TestMeanOfManyValuesDoesNotStall(t *testing.T) {
	mean, row := []float64{0, 1}, make([]float32, 2)
	for n := range 1_000_000 {
		MoveMean(mean, row, []float64{float64(n & 1), 3}, 1/float64(n+2))
	}
	if math.Abs(mean[0]-0.5) > 1e-5 || math.Abs(mean[1]-3) > 1e-5 {
		t.Errorf("mean of a million values is %v, want [0.5 3]", mean)
	}
}

func TestKernelsDoNotAllocate(t *testing.T) {
	mean, row, x := make([]float64, 100), make([]float32, 100), make([]float64, 100)
	dst := make([]float32, 1)
	if n := testing.AllocsPerRun(10, func() {
		MoveMean(mean, row, x, 0.5)
		DotRows(dst, row, row)
		DotMatrix(dst, row, row, len(row))
		AddScaled(row, row, 0.5)
		dst[0] = Dot(row, row) + float32(Dot64(x, mean))
	}); n != 0 {
		t.Errorf("%g allocations", n)
	}
}

func BenchmarkMoveMean(b *testing.B) {
	mean, row, x := make([]float64, 768), make([]float32, 768), make([]float64, 768)
	for _, p := range paths {
		b.Run(p.name, func(b *testing.B) {
			var sums [2 * block]float64
			for b.Loop() {
				p.moveMean(mean, row, x, 0.5, &sums)
			}
		})
	}
}

func BenchmarkDot64(b *testing.B) {
	x, y := make([]float64, 768), make([]float64, 768)
	for b.Loop() {
		Dot64(x, y)
	}
}

func BenchmarkDistance64(b *testing.B) {
	x, y := make([]float64, 768), make([]float64, 768)
	for b.Loop() {
		Distance64(x, y)
	}
}
