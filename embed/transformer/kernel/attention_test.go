package kernel

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// referenceAttention is one head in float64: the result, and the sum of
// weighed absolute values, to which errors are relative.
func referenceAttention(qkv []float32, tokens, heads, size, head, query int) (want, scale []float64) {
	width := heads * size
	at := func(token, part, i int) float64 {
		return float64(qkv[token*3*width+part*width+head*size+i])
	}
	scores, top := make([]float64, tokens), math.Inf(-1)
	for t := range scores {
		for i := range size {
			scores[t] += at(query, 0, i) * at(t, 1, i)
		}
		scores[t] /= math.Sqrt(float64(size))
		top = max(top, scores[t])
	}
	sum := 0.0
	for t := range scores {
		scores[t] = math.Exp(scores[t] - top)
		sum += scores[t]
	}
	want, scale = make([]float64, size), make([]float64, size)
	for t, s := range scores {
		for i := range size {
			want[i] += s / sum * at(t, 2, i)
			scale[i] += s / sum * math.Abs(at(t, 2, i))
		}
	}
	return want, scale
}

// checkAttention compares some queries of each head, the first and last among
// them.
func checkAttention(t rapid.TB, p Path, r *rand.Rand, tokens, heads, size int, s *Scratch) {
	t.Helper()
	qkv := random(r, tokens*3*heads*size)
	dst, untouched := guarded(t, tokens*heads*size)
	p.Attention(dst, qkv, tokens, heads, size, s)
	untouched()
	for h := range heads {
		for _, query := range []int{0, tokens - 1, r.IntN(tokens)} {
			want, scale := referenceAttention(qkv, tokens, heads, size, h, query)
			for i := range want {
				got := dst[(query*heads+h)*size+i]
				if diff := math.Abs(float64(got) - want[i]); !(diff <= 1e-5*scale[i]+1e-6) {
					t.Fatalf("%d tokens, %d heads of %d: head %d, query %d, value %d is %g, want %g",
						tokens, heads, size, h, query, i, got, want[i])
				}
			}
		}
	}
}

func TestAttentionOfEveryLength(t *testing.T) {
	onEachPath(t, func(t *testing.T, p Path) {
		r, s := rand.New(rand.NewPCG(1, 2)), new(Scratch)
		for tokens := 1; tokens <= 70; tokens++ {
			checkAttention(t, p, r, tokens, 2, 32, s)
		}
		for _, tokens := range []int{127, 128, 129, 511, 512} {
			checkAttention(t, p, r, tokens, 1, 64, s)
		}
	})
}

func TestAttentionOfAnyShape(t *testing.T) {
	onEachPath(t, func(t *testing.T, p Path) {
		s := new(Scratch)
		rapid.Check(t, func(t *rapid.T) {
			tokens, heads, size := rapid.IntRange(1, 100).Draw(t, "tokens"), rapid.IntRange(1, 5).Draw(t, "heads"), rapid.IntRange(4, 64).Draw(t, "size")
			r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
			checkAttention(t, p, r, tokens, heads, size, s)
		})
	})
}

// A text that came before must leave nothing behind in the scratch.
func TestAttentionDoesNotDependOnScratch(t *testing.T) {
	onEachPath(t, func(t *testing.T, p Path) {
		r, used := rand.New(rand.NewPCG(3, 4)), new(Scratch)
		for _, tokens := range []int{90, 5, 40, 1, 33, 17} {
			for _, size := range []int{64, 13, 32} {
				qkv := random(r, tokens*3*size)
				poison := random(r, 100*3*size)
				for i := range poison {
					poison[i] = float32(math.NaN())
				}
				p.Attention(make([]float32, 100*size), poison, 100, 1, size, used)
				a, b := make([]float32, tokens*size), make([]float32, tokens*size)
				p.Attention(a, qkv, tokens, 1, size, used)
				p.Attention(b, qkv, tokens, 1, size, new(Scratch))
				for i := range a {
					if a[i] != b[i] {
						t.Fatalf("%d tokens of %d: value %d is %g after another text, %g at first", tokens, size, i, a[i], b[i])
					}
				}
			}
		}
	})
}

func TestNothingAllocatesInTheEnd(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	onEachProduct(t, func(t *testing.T, p Path, d DType) {
		const rows, width = 20, 64
		l := randomLayer(r, rows, width, 3*width)
		m, err := Pack(p, d, l.weights, l.bias, l.out, l.in)
		if err != nil {
			t.Fatal(err)
		}
		qkv, dst, s := make([]float32, rows*3*width), make([]float32, rows*width), new(Scratch)
		if n := testing.AllocsPerRun(10, func() {
			m.Multiply(qkv, l.src, rows, Epilogue{Activation: GELU}, s)
			p.Attention(dst, qkv, rows, 2, width/2, s)
			p.LayerNorm(dst, l.bias[:width], l.bias[:width], 1e-12)
			SumRows(dst[:width], dst[width:])
			Normalise(dst)
		}); n != 0 {
			t.Errorf("%g allocations", n)
		}
	})
}
