package kernel

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

func exactGELU(x float64) float64 { return x / 2 * math.Erfc(-x/math.Sqrt2) }

func exactGELUTanh(x float64) float64 {
	return x / (1 + math.Exp(-2*math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
}

// activate applies an activation to values that fill whole tile rows.
func activate(p Path, a Activation, x []float32) []float32 {
	l, y := p.loops(), append([]float32(nil), x...)
	if l.activate[a] != nil {
		l.activate[a](y, l.cols, len(x)/l.cols)
	}
	return y
}

func TestActivationErrors(t *testing.T) {
	x := make([]float32, 0, 1<<16)
	for i := range 1 << 16 {
		x = append(x, float32(i-1<<15)/(1<<11)) // -16 to 16
	}
	for i := range 1 << 12 {
		v := float32(math.Pow(10, float64(i)/100-20))
		x = append(x, v, -v)
	}
	onEachPath(t, func(t *testing.T, p Path) {
		for a, exact := range map[Activation]func(float64) float64{GELU: exactGELU, GELUTanh: exactGELUTanh} {
			worst, at := 0.0, float32(0)
			for i, y := range activate(p, a, x) {
				if e := math.Abs(float64(y)-exact(float64(x[i]))) / max(1, math.Abs(float64(x[i]))); !(e <= worst) {
					worst, at = e, x[i]
				}
			}
			t.Logf("activation %d: error at most %.2g of max(1, |x|), at %g", a, worst, at)
			if !(worst <= 7e-7) {
				t.Errorf("activation %d is wrong by %g at %g", a, worst, at)
			}
		}
	})
}

func TestActivationsKeepNaN(t *testing.T) {
	onEachPath(t, func(t *testing.T, p Path) {
		for a := Identity; a < activations; a++ {
			x := make([]float32, p.loops().cols)
			for i := range x {
				x[i] = float32(math.NaN())
			}
			for i, y := range activate(p, a, x) {
				if !math.IsNaN(float64(y)) {
					t.Errorf("activation %d of NaN is %g in column %d", a, y, i)
				}
			}
		}
	})
}

func TestSoftmax(t *testing.T) {
	onEachPath(t, func(t *testing.T, p Path) {
		rapid.Check(t, func(t *rapid.T) {
			l := p.loops()
			rows := rapid.IntRange(1, 300).Draw(t, "rows")
			scale := rapid.Float32Range(0.01, 2).Draw(t, "scale")
			spread := rapid.Float32Range(0, 60).Draw(t, "spread")
			x := random(rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)), rows*l.cols)
			for i := range x {
				x[i] *= spread
			}
			y := append([]float32(nil), x...)
			l.softmax(y, rows, scale)
			for n := range l.cols {
				checkSoftmax(t, column(y, n, l.cols), column(x, n, l.cols), scale)
			}
		})
	})
}

// column returns column n of a matrix with cols columns.
func column(x []float32, n, cols int) []float32 {
	var values []float32
	for ; n < len(x); n += cols {
		values = append(values, x[n])
	}
	return values
}

func checkSoftmax(t rapid.TB, got, x []float32, scale float32) {
	t.Helper()
	top, sum := math.Inf(-1), 0.0
	for _, v := range x {
		top = max(top, float64(v)*float64(scale))
	}
	for _, v := range x {
		sum += math.Exp(float64(v)*float64(scale) - top)
	}
	for i, v := range x {
		power := top - float64(v)*float64(scale)
		want := math.Exp(-power) / sum
		// The argument is rounded, which moves its power in proportion, and
		// so is each addition to the sum.
		tolerance := want*(4e-7*power+5e-7+float64(len(x))/(1<<24)) + 1e-36
		if diff := math.Abs(float64(got[i]) - want); !(diff <= tolerance) {
			t.Fatalf("weight %d of %d is %g, want %g within %g", i, len(x), got[i], want, tolerance)
		}
	}
}

func TestLayerNorm(t *testing.T) {
	onEachPath(t, func(t *testing.T, p Path) {
		rapid.Check(t, func(t *rapid.T) {
			rows, width := rapid.IntRange(1, 9).Draw(t, "rows"), rapid.OneOf(rapid.IntRange(1, 800), rapid.SampledFrom([]int{384, 768, 1024})).Draw(t, "width")
			r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
			shift := rapid.Float32Range(-5, 5).Draw(t, "shift")
			gamma, beta := random(r, width), random(r, width)
			got, untouched := guarded(t, rows*width)
			copy(got, random(r, rows*width))
			for i := range got {
				got[i] += shift
			}
			x := append([]float32(nil), got...)
			p.LayerNorm(got, gamma, beta, 1e-12)
			untouched()
			for i := range rows {
				checkNorm(t, got[i*width:(i+1)*width], x[i*width:(i+1)*width], gamma, beta)
			}
		})
	})
}

func checkNorm(t rapid.TB, got, x, gamma, beta []float32) {
	t.Helper()
	var mean, variance, size float64
	for _, v := range x {
		mean += float64(v) / float64(len(x))
		size = max(size, math.Abs(float64(v)))
	}
	for _, v := range x {
		variance += (float64(v) - mean) * (float64(v) - mean) / float64(len(x))
	}
	scale := 1 / math.Sqrt(variance+1e-12)
	for i, v := range x {
		normal := (float64(v) - mean) * scale
		want := normal*float64(gamma[i]) + float64(beta[i])
		tolerance := 1e-6*(math.Abs(want)+math.Abs(float64(beta[i]))) + math.Abs(float64(gamma[i]))*1e-6*(size*scale+math.Abs(normal))
		if diff := math.Abs(float64(got[i]) - want); !(diff <= tolerance) {
			t.Fatalf("value %d of %d is %g, want %g within %g", i, len(x), got[i], want, tolerance)
		}
	}
}

func TestLayerNormOfRowsDoesNotDependOnOthers(t *testing.T) {
	onEachPath(t, func(t *testing.T, p Path) {
		r := rand.New(rand.NewPCG(1, 2))
		for _, width := range []int{7, 64, 80, 384, 768} {
			x, gamma, beta := random(r, 5*width), random(r, width), random(r, width)
			all := append([]float32(nil), x...)
			p.LayerNorm(all, gamma, beta, 1e-5)
			for i := range 5 {
				row := append([]float32(nil), x[i*width:(i+1)*width]...)
				p.LayerNorm(row, gamma, beta, 1e-5)
				for k := range row {
					if row[k] != all[i*width+k] {
						t.Fatalf("width %d, row %d, value %d: %g alone, %g among others", width, i, k, row[k], all[i*width+k])
					}
				}
			}
		}
	})
}

// Quantised values are within half a step of what they stand for, and zero is
// exact.
func TestQuantisedRows(t *testing.T) {
	onEachPath(t, func(t *testing.T, p Path) {
		rapid.Check(t, func(t *rapid.T) {
			x := rapid.SliceOfN(rapid.Float32Range(-100, 100), 1, 200).Draw(t, "x")
			x[0] = 0
			q, s := quantised(p, x)
			for i, v := range q {
				back := (float64(v) - float64(s.zero)) * float64(s.scale)
				if diff := math.Abs(back - float64(x[i])); !(diff <= 0.501*float64(s.scale)+1e-30) {
					t.Fatalf("value %d, %g, became %d, which is %g, with steps of %g", i, x[i], v, back, s.scale)
				}
			}
			if float64(q[0]) != float64(s.zero) {
				t.Fatalf("zero became %d, which is not the zero point %g", q[0], s.zero)
			}
		})
	})
}

// quantised quantises x as p does.
func quantised(p Path, x []float32) ([]int16, step) {
	l := p.loops()
	q := make([]int16, len(x)+3)
	if l.quantiseWide != nil {
		s := l.quantiseWide(q, x)
		return q[:len(x)], s
	}
	bytes := make([]uint8, len(x)+3)
	s := l.quantise(bytes, x)
	for i, b := range bytes {
		q[i] = int16(b)
	}
	return q[:len(x)], s
}

func TestSumRows(t *testing.T) {
	dst := []float32{9, 9, 9}
	SumRows(dst, []float32{1, 2, 3, 10, 20, 30})
	if dst[0] != 11 || dst[1] != 22 || dst[2] != 33 {
		t.Errorf("sum is %v", dst)
	}
}

func TestNormalise(t *testing.T) {
	x := []float32{3, 0, -4}
	Normalise(x)
	if x[0] != 0.6 || x[1] != 0 || x[2] != -0.8 {
		t.Errorf("unit vector of 3, 0, -4 is %v", x)
	}
	zero := make([]float32, 3)
	Normalise(zero)
	if zero[0] != 0 {
		t.Errorf("unit vector of zero is %v", zero)
	}
}
