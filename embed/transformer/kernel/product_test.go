package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

var dtypes = []DType{F32, BF16, Int8}

// onEachPath runs test for every path of this CPU.
func onEachPath(t *testing.T, test func(t *testing.T, p Path)) {
	for _, p := range Paths() {
		t.Run(p.String(), func(t *testing.T) { test(t, p) })
	}
}

// onEachProduct runs test for every path and number format.
func onEachProduct(t *testing.T, test func(t *testing.T, p Path, d DType)) {
	onEachPath(t, func(t *testing.T, p Path) {
		for _, d := range dtypes {
			t.Run(d.String(), func(t *testing.T) { test(t, p, d) })
		}
	})
}

func random(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// guarded returns room for n values with a NaN before and after them, and a
// function that fails the test when these were written.
func guarded(t rapid.TB, n int) (x []float32, check func()) {
	const mark = 0x7fc0beef
	all := make([]float32, n+64)
	for i := range all {
		all[i] = math.Float32frombits(mark)
	}
	return all[32 : 32+n : 32+n], func() {
		t.Helper()
		for i, v := range all {
			if (i < 32 || i >= 32+n) && math.Float32bits(v) != mark {
				t.Fatalf("wrote %v at index %d of %d values", v, i-32, n)
			}
		}
	}
}

// A layer is a linear layer with an input, in plain slices.
type layer struct {
	weights, bias, src []float32
	rows, in, out      int
}

func randomLayer(r *rand.Rand, rows, in, out int) layer {
	return layer{random(r, in*out), random(r, out), random(r, rows*in), rows, in, out}
}

// rounded returns x as the product reads it in d.
func rounded(d DType, x []float32, quantise func([]float32) []float64) []float64 {
	if d == Int8 {
		return quantise(x)
	}
	y := make([]float64, len(x))
	for i, v := range x {
		if d == BF16 {
			v = nearestBF16(v)
		}
		y[i] = float64(v)
	}
	return y
}

// nearestBF16 chooses between the two bfloat16 around x.
func nearestBF16(x float32) float32 {
	down := math.Float32frombits(math.Float32bits(x) &^ 0xffff)
	up := math.Float32frombits(math.Float32bits(x)&^0xffff + 0x10000)
	below, above := math.Abs(float64(x)-float64(down)), math.Abs(float64(up)-float64(x))
	if below < above || below == above && math.Float32bits(down)>>16&1 == 0 {
		return down
	}
	return up
}

// quantisedRow returns a row of activations after quantisation.
func quantisedRow(x []float32) []float64 {
	q := make([]int16, len(x))
	s := quantiseGeneric(q, x)
	y := make([]float64, len(x))
	for i, v := range q {
		y[i] = (float64(v) - float64(s.zero)) * float64(s.scale)
	}
	return y
}

// quantisedWeights returns the weights of one output after quantisation.
func quantisedWeights(x []float32) []float64 {
	top := 0.0
	for _, v := range x {
		top = max(top, math.Abs(float64(v)))
	}
	scale := float64(float32(top) / 127)
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = math.RoundToEven(float64(v*(127/float32(top)))) * scale
	}
	return y
}

// reference returns the product in float64, before the epilogue, and by how
// much a sum in float32 in any order may differ (Higham, Accuracy and Stability
// of Numerical Algorithms, section 3.1).
func (l layer) reference(d DType) (want, bound []float64) {
	want, bound = make([]float64, l.rows*l.out), make([]float64, l.rows*l.out)
	var weights [][]float64
	for n := range l.out {
		weights = append(weights, rounded(d, l.weights[n*l.in:(n+1)*l.in], quantisedWeights))
	}
	for r := range l.rows {
		x := rounded(d, l.src[r*l.in:(r+1)*l.in], quantisedRow)
		for n, w := range weights {
			sum, size := float64(l.bias[n]), math.Abs(float64(l.bias[n]))
			for k := range x {
				sum += x[k] * w[k]
				size += math.Abs(x[k] * w[k])
			}
			want[r*l.out+n], bound[r*l.out+n] = sum, size*float64(l.in+8)/(1<<24)
		}
	}
	return want, bound
}

// check multiplies and compares each value.
func (l layer) check(t rapid.TB, p Path, d DType) {
	t.Helper()
	m, err := Pack(p, d, l.weights, l.bias, l.out, l.in)
	if err != nil {
		t.Fatal(err)
	}
	dst, untouched := guarded(t, l.rows*l.out)
	m.Multiply(dst, l.src, l.rows, Epilogue{}, new(Scratch))
	untouched()
	want, bound := l.reference(m.dtype)
	for i := range dst {
		if diff := math.Abs(float64(dst[i]) - want[i]); !(diff <= bound[i]) {
			t.Fatalf("%d rows, %d to %d: row %d, output %d is %g, want %g within %g",
				l.rows, l.in, l.out, i/l.out, i%l.out, dst[i], want[i], bound[i])
		}
	}
}

func TestProductOfAnyShape(t *testing.T) {
	onEachProduct(t, func(t *testing.T, p Path, d DType) {
		rapid.Check(t, func(t *rapid.T) {
			rows, in, out := rapid.IntRange(1, 70).Draw(t, "rows"), rapid.IntRange(1, 200).Draw(t, "in"), rapid.IntRange(1, 200).Draw(t, "out")
			r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
			randomLayer(r, rows, in, out).check(t, p, d)
		})
	})
}

func TestProductOfEveryTileHeight(t *testing.T) {
	onEachProduct(t, func(t *testing.T, p Path, d DType) {
		r := rand.New(rand.NewPCG(1, 2))
		for rows := 1; rows <= 31; rows++ {
			randomLayer(r, rows, 96, 64).check(t, p, d)
		}
	})
}

func TestProductOfTheSizesOfDistilBERT(t *testing.T) {
	onEachProduct(t, func(t *testing.T, p Path, d DType) {
		r := rand.New(rand.NewPCG(3, 4))
		randomLayer(r, 5, 768, 3072).check(t, p, d)
		randomLayer(r, 5, 3072, 768).check(t, p, d)
	})
}

// A row must come out with the same bits alone, among others, and at any place
// among them, so that the vector of a text does not depend on its batch.
func TestRowDoesNotDependOnOthers(t *testing.T) {
	onEachProduct(t, func(t *testing.T, p Path, d DType) {
		r := rand.New(rand.NewPCG(5, 6))
		l := randomLayer(r, 131, 300, 70)
		m, err := Pack(p, d, l.weights, l.bias, l.out, l.in)
		if err != nil {
			t.Fatal(err)
		}
		all, residual, s := make([]float32, l.rows*l.out), random(r, l.rows*l.out), new(Scratch)
		for a := Identity; a < activations; a++ {
			m.Multiply(all, l.src, l.rows, Epilogue{Activation: a, Residual: residual}, s)
			for range 40 {
				from := r.IntN(l.rows)
				to := from + 1 + r.IntN(l.rows-from)
				some := make([]float32, (to-from)*l.out)
				m.Multiply(some, l.src[from*l.in:to*l.in], to-from, Epilogue{Activation: a, Residual: residual[from*l.out : to*l.out]}, s)
				for i, v := range some {
					if math.Float32bits(v) != math.Float32bits(all[from*l.out+i]) {
						t.Fatalf("rows %d to %d alone: value %d is %g, among all %g", from, to, i, v, all[from*l.out+i])
					}
				}
			}
		}
	})
}

func TestEpilogue(t *testing.T) {
	functions := map[Activation]func(float64) float64{
		Identity: func(x float64) float64 { return x },
		GELU:     exactGELU,
		GELUTanh: exactGELUTanh,
		ReLU:     func(x float64) float64 { return max(x, 0) },
	}
	onEachProduct(t, func(t *testing.T, p Path, d DType) {
		r := rand.New(rand.NewPCG(7, 8))
		for _, out := range []int{1, 15, 16, 33, 64} {
			l := randomLayer(r, 17, 70, out)
			m, err := Pack(p, d, l.weights, l.bias, l.out, l.in)
			if err != nil {
				t.Fatal(err)
			}
			want, bound := l.reference(m.dtype)
			for a, f := range functions {
				residual := random(r, l.rows*out)
				dst, untouched := guarded(t, l.rows*out)
				copy(dst, residual)
				m.Multiply(dst, l.src, l.rows, Epilogue{Activation: a, Residual: dst}, new(Scratch))
				untouched()
				for i := range dst {
					exact := f(want[i] + float64(residual[i]))
					tolerance := 1.2*bound[i] + 1e-6 + 3e-7*math.Abs(exact)
					if diff := math.Abs(float64(dst[i]) - exact); !(diff <= tolerance) {
						t.Fatalf("activation %d, %d outputs: value %d is %g, want %g within %g", a, out, i, dst[i], exact, tolerance)
					}
				}
			}
		}
	})
}

func TestMatrixWithoutBias(t *testing.T) {
	onEachProduct(t, func(t *testing.T, p Path, d DType) {
		l := randomLayer(rand.New(rand.NewPCG(9, 10)), 3, 80, 40)
		clear(l.bias)
		with, _ := Pack(p, d, l.weights, l.bias, l.out, l.in)
		without, _ := Pack(p, d, l.weights, nil, l.out, l.in)
		a, b := make([]float32, 3*40), make([]float32, 3*40)
		with.Multiply(a, l.src, 3, Epilogue{}, new(Scratch))
		without.Multiply(b, l.src, 3, Epilogue{}, new(Scratch))
		if fmt.Sprint(a) != fmt.Sprint(b) {
			t.Errorf("with a bias of zeros %v, without %v", a, b)
		}
	})
}

// The integer products are exact, so that int8 gives the same bits everywhere.
func TestInt8IsTheSameOnEveryPath(t *testing.T) {
	l := randomLayer(rand.New(rand.NewPCG(11, 12)), 20, 3001, 50)
	var first []float32
	for _, p := range Paths() {
		m, err := Pack(p, Int8, l.weights, l.bias, l.out, l.in)
		if err != nil {
			t.Fatal(err)
		}
		dst := make([]float32, l.rows*l.out)
		m.Multiply(dst, l.src, l.rows, Epilogue{}, new(Scratch))
		if first == nil {
			first = dst
		}
		for i := range dst {
			if dst[i] != first[i] {
				t.Fatalf("%s: value %d is %g, in plain Go %g", p, i, dst[i], first[i])
			}
		}
	}
}

func TestRowsOfOneValue(t *testing.T) {
	onEachProduct(t, func(t *testing.T, p Path, d DType) {
		for _, x := range []float32{0, 1, -1, 1e-38, 3e4} {
			l := layer{weights: make([]float32, 33*64), bias: make([]float32, 33), rows: 1, in: 64, out: 33, src: make([]float32, 64)}
			for i := range l.weights {
				l.weights[i] = 1
			}
			for i := range l.src {
				l.src[i] = x
			}
			m, err := Pack(p, d, l.weights, l.bias, l.out, l.in)
			if err != nil {
				t.Fatal(err)
			}
			dst := make([]float32, 33)
			m.Multiply(dst, l.src, 1, Epilogue{}, new(Scratch))
			for n, y := range dst {
				if diff := math.Abs(float64(y) - 64*float64(x)); !(diff <= 0.004*64*math.Abs(float64(x))+1e-30) {
					t.Fatalf("output %d of 64 times %g is %g", n, x, y)
				}
			}
		}
	})
}

func TestPackRefuses(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	for name, call := range map[string]func() error{
		"no outputs":       func() error { _, err := Pack(Generic, F32, nil, nil, 0, 4); return err },
		"too few weights":  func() error { _, err := Pack(Generic, F32, make([]float32, 7), nil, 2, 4); return err },
		"too many weights": func() error { _, err := Pack(Generic, F32, make([]float32, 9), nil, 2, 4); return err },
		"too few biases":   func() error { _, err := Pack(Generic, F32, make([]float32, 8), make([]float32, 1), 2, 4); return err },
		"a NaN weight":     func() error { _, err := Pack(Generic, Int8, []float32{1, nan}, nil, 2, 1); return err },
		"an infinite bias": func() error { _, err := Pack(Generic, BF16, []float32{1}, []float32{inf}, 1, 1); return err },
		"too many inputs": func() error {
			_, err := Pack(Generic, Int8, make([]float32, maxInt8Inputs+1), nil, 1, maxInt8Inputs+1)
			return err
		},
		"another dtype": func() error { _, err := Pack(Generic, Int8+1, []float32{1}, nil, 1, 1); return err },
	} {
		if call() == nil {
			t.Errorf("Pack took %s", name)
		}
	}
}

func TestLengthsThatDoNotFitPanic(t *testing.T) {
	m, err := Pack(Generic, F32, make([]float32, 6), nil, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float32, 12)
	for name, call := range map[string]func(){
		"source":      func() { m.Multiply(x[:4], x[:5], 2, Epilogue{}, new(Scratch)) },
		"destination": func() { m.Multiply(x[:3], x[:6], 2, Epilogue{}, new(Scratch)) },
		"residual":    func() { m.Multiply(x[:4], x[:6], 2, Epilogue{Residual: x[:3]}, new(Scratch)) },
		"attention":   func() { Generic.Attention(x[:4], x[:11], 1, 2, 2, new(Scratch)) },
		"norm":        func() { Generic.LayerNorm(x[:5], x[:2], x[:2], 0) },
		"sum":         func() { SumRows(x[:5], x[:11]) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("the length of %s does not fit, and was taken", name)
				}
			}()
			call()
		}()
	}
}

// What int8 saves on short sums is nothing, and what it costs is much.
func TestShortInt8RowsAreBF16(t *testing.T) {
	for in, want := range map[int]DType{minInt8Inputs - 1: BF16, minInt8Inputs: Int8} {
		m, err := Pack(Best(), Int8, make([]float32, in), nil, 1, in)
		if err != nil {
			t.Fatal(err)
		}
		if m.dtype != want {
			t.Errorf("int8 weights of %d inputs are held as %s, want %s", in, m.dtype, want)
		}
	}
}

func TestNothingToDo(t *testing.T) {
	onEachPath(t, func(t *testing.T, p Path) {
		m, err := Pack(p, F32, make([]float32, 6), nil, 2, 3)
		if err != nil {
			t.Fatal(err)
		}
		m.Multiply(nil, nil, 0, Epilogue{}, new(Scratch))
		p.Attention(nil, nil, 0, 2, 32, new(Scratch))
		p.LayerNorm(nil, make([]float32, 64), make([]float32, 64), 1e-12)
	})
}

// The largest sums that int8 can meet must not overflow.
func TestInt8DoesNotOverflow(t *testing.T) {
	onEachPath(t, func(t *testing.T, p Path) {
		const in = maxInt8Inputs
		w, x := make([]float32, in), make([]float32, in)
		for i := range w {
			w[i], x[i] = 2, 3
		}
		m, err := Pack(p, Int8, w, nil, 1, in)
		if err != nil {
			t.Fatal(err)
		}
		dst := make([]float32, 1)
		m.Multiply(dst, x, 1, Epilogue{}, new(Scratch))
		if diff := math.Abs(float64(dst[0]) - 6*in); diff > 1e-3*6*in {
			t.Errorf("%d times 6 is %g", in, dst[0])
		}
	})
}

func TestMatrixBytes(t *testing.T) {
	w := make([]float32, 768*768)
	for _, p := range Paths() {
		for d, size := range map[DType]int{F32: 4, BF16: 2, Int8: 1} {
			m, err := Pack(p, d, w, nil, 768, 768)
			if err != nil {
				t.Fatal(err)
			}
			if extra := m.Bytes() - size*len(w); extra < 0 || extra > 3*4*768 {
				t.Errorf("%s, %s: %d weights take %d bytes", p, d, len(w), m.Bytes())
			}
		}
	}
}
