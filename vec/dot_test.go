package vec

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// lengths holds every length that some loop, mask or tail treats specially,
// and some long ones.
func lengths() []int {
	var all []int
	for n := range 301 {
		all = append(all, n)
	}
	return append(all, 512, 768, 1000, 1023, 1024, 1025, 4096, 65_537)
}

func randomRow(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// reference returns the dot product in float64 and how far a float32 sum in
// any order may be from it (Higham, Accuracy and Stability, section 3.1).
func reference(a, b []float32) (dot, bound float64) {
	var size float64
	for i := range a {
		p := float64(a[i]) * float64(b[i])
		dot += p
		size += math.Abs(p)
	}
	return dot, size*float64(len(a)+1)/(1<<24) + 1e-37
}

func checkDot(t rapid.TB, got float32, a, b []float32) {
	t.Helper()
	want, bound := reference(a, b)
	if diff := math.Abs(float64(got) - want); !(diff <= bound) {
		t.Fatalf("dot product of %d values is %g, want %g within %g", len(a), got, want, bound)
	}
}

// guarded returns a copy of x with a NaN just before and just after it, at an
// odd address: a kernel that reads outside gives NaN.
func guarded(x []float32) []float32 {
	nan := float32(math.NaN())
	all := append(append([]float32{nan}, x...), nan, nan, nan)
	return all[1 : 1+len(x)]
}

func TestDotOfEveryLength(t *testing.T) {
	for _, p := range paths {
		t.Run(p.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			for _, n := range lengths() {
				a, b := guarded(randomRow(r, n)), guarded(randomRow(r, n))
				checkDot(t, p.dot(a, b), a, b)
			}
		})
	}
}

func TestDotRowsIsDotOfEachRow(t *testing.T) {
	for _, p := range paths {
		t.Run(p.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, 4))
			for _, n := range lengths()[:301] {
				for _, count := range []int{0, 1, 2, 3, 4, 5, 9} {
					rows, x := guarded(randomRow(r, n*count)), guarded(randomRow(r, n))
					dst := make([]float32, count+1)
					dst[count] = 42
					p.dotRows(dst[:count], rows, x)
					for i := range count {
						row := rows[i*n : (i+1)*n]
						checkDot(t, dst[i], row, x)
						if one := p.dot(row, x); one != dst[i] {
							t.Fatalf("row %d of %d, length %d: %g beside others, %g alone", i, count, n, dst[i], one)
						}
					}
					if dst[count] != 42 {
						t.Fatalf("%d rows of %d: wrote past dst", count, n)
					}
				}
			}
		})
	}
}

func TestAddScaledOfEveryLength(t *testing.T) {
	for _, p := range paths {
		t.Run(p.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(5, 6))
			for _, n := range lengths() {
				before, x, a := guarded(randomRow(r, n)), randomRow(r, n), float32(r.NormFloat64())
				dst := guarded(before)
				p.addScaled(dst, x, a)
				for i := range dst {
					want := float64(before[i]) + float64(a)*float64(x[i])
					size := math.Abs(float64(before[i])) + math.Abs(float64(a)*float64(x[i]))
					if !(math.Abs(float64(dst[i])-want) <= 2*size/(1<<24)) {
						t.Fatalf("value %d of %d is %g, want %g", i, n, dst[i], want)
					}
				}
				if rest := dst[:n+1]; !math.IsNaN(float64(rest[n])) {
					t.Fatalf("length %d: wrote past dst", n)
				}
			}
		})
	}
}

func TestDotOfAnyValues(t *testing.T) {
	value := rapid.Float32Range(-1e15, 1e15)
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.SliceOfN(value, 0, 200).Draw(t, "a")
		b := rapid.SliceOfN(value, len(a), len(a)).Draw(t, "b")
		for _, p := range paths {
			checkDot(t, p.dot(a, b), a, b)
		}
	})
}

func TestNotANumberReachesTheResult(t *testing.T) {
	for _, p := range paths {
		for n := 1; n < 100; n++ {
			a, b := make([]float32, n), make([]float32, n)
			a[n-1] = float32(math.NaN())
			if got := p.dot(a, b); !math.IsNaN(float64(got)) {
				t.Errorf("%s, length %d: dot product with a NaN is %g", p.name, n, got)
			}
		}
	}
}

func TestLengthsThatDoNotFitPanic(t *testing.T) {
	five, six := make([]float32, 5), make([]float32, 6)
	for name, call := range map[string]func(){
		"Dot":        func() { Dot(five, six) },
		"DotRows":    func() { DotRows(five, six, six) },
		"DotMatrix":  func() { DotMatrix(five, five, six, 5) },
		"no vectors": func() { DotMatrix(nil, nil, nil, 0) },
		"AddScaled":  func() { AddScaled(six, five, 1) },
		"Dot64":      func() { Dot64(make([]float64, 1), nil) },
		"Distance64": func() { Distance64(nil, make([]float64, 1)) },
		"MoveMean":   func() { MoveMean(make([]float64, 5), six, make([]float64, 5), 1) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s took lengths that do not fit", name)
				}
			}()
			call()
		}()
	}
}

func BenchmarkDot(b *testing.B) {
	for _, n := range []int{64, 512, 768} {
		x, y := make([]float32, n), make([]float32, n)
		for _, p := range paths {
			b.Run(fmt.Sprintf("%s/%d", p.name, n), func(b *testing.B) {
				for b.Loop() {
					p.dot(x, y)
				}
			})
		}
	}
}

func BenchmarkDotRows(b *testing.B) {
	for _, size := range []struct{ rows, dim int }{{50, 768}, {1000, 768}, {5000, 512}, {5000, 768}} {
		dst, x := make([]float32, size.rows), make([]float32, size.dim)
		rows := make([]float32, size.rows*size.dim)
		for i := range rows {
			rows[i] = float32(i % 7)
		}
		for _, p := range paths {
			b.Run(fmt.Sprintf("%s/%dx%d", p.name, size.rows, size.dim), func(b *testing.B) {
				b.SetBytes(int64(4 * len(rows)))
				for b.Loop() {
					p.dotRows(dst, rows, x)
				}
			})
		}
	}
}

func BenchmarkAddScaled(b *testing.B) {
	x, y := make([]float32, 768), make([]float32, 768)
	for _, p := range paths {
		b.Run(p.name, func(b *testing.B) {
			for b.Loop() {
				p.addScaled(x, y, 0.5)
			}
		})
	}
}
