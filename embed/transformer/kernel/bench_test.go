package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// BenchmarkProduct multiplies 768 rows, 32 texts of 24 tokens, with the layers
// of DistilBERT and reports GFLOP/s: two operations for each weight and row.
func BenchmarkProduct(b *testing.B) {
	for _, shape := range []struct{ rows, in, out int }{{768, 768, 768}, {768, 768, 3072}, {768, 3072, 768}, {24, 768, 3072}} {
		l := randomLayer(rand.New(rand.NewPCG(1, 2)), shape.rows, shape.in, shape.out)
		dst, s := make([]float32, l.rows*l.out), new(Scratch)
		for _, p := range Paths()[1:] {
			for _, d := range dtypes {
				m, err := Pack(p, d, l.weights, l.bias, l.out, l.in)
				if err != nil {
					b.Fatal(err)
				}
				b.Run(fmt.Sprintf("%dx%dx%d/%s/%s", l.rows, l.in, l.out, p, d), func(b *testing.B) {
					for b.Loop() {
						m.Multiply(dst, l.src, l.rows, Epilogue{}, s)
					}
					reportRate(b, 2*float64(l.rows)*float64(l.in)*float64(l.out))
				})
			}
		}
	}
}

// reportRate reports operations per second, given those of one turn.
func reportRate(b *testing.B, operations float64) {
	b.ReportMetric(operations*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}

// An encoderLayer is one layer of DistilBERT-base with random weights.
type encoderLayer struct {
	path                Path
	qkv, out, up, down  *Matrix
	gamma, beta         []float32
	states, mixed       []float32
	projected, expanded []float32
	scratch             Scratch
}

const tokens, heads, headSize, width, hidden = 24, 12, 64, 768, 3072

func newEncoderLayer(b *testing.B, p Path, d DType, texts int) *encoderLayer {
	r := rand.New(rand.NewPCG(3, 4))
	linear := func(in, out int) *Matrix {
		m, err := Pack(p, d, random(r, in*out), random(r, out), out, in)
		if err != nil {
			b.Fatal(err)
		}
		return m
	}
	rows := texts * tokens
	return &encoderLayer{
		path: p, qkv: linear(width, 3*width), out: linear(width, width), up: linear(width, hidden), down: linear(hidden, width),
		gamma: random(r, width), beta: random(r, width),
		states: random(r, rows*width), mixed: make([]float32, rows*width),
		projected: make([]float32, rows*3*width), expanded: make([]float32, rows*hidden),
	}
}

func (l *encoderLayer) run() {
	rows := len(l.states) / width
	l.qkv.Multiply(l.projected, l.states, rows, Epilogue{}, &l.scratch)
	l.attend()
	l.out.Multiply(l.states, l.mixed, rows, Epilogue{Residual: l.states}, &l.scratch)
	l.path.LayerNorm(l.states, l.gamma, l.beta, 1e-12)
	l.up.Multiply(l.expanded, l.states, rows, Epilogue{Activation: GELU}, &l.scratch)
	l.down.Multiply(l.states, l.expanded, rows, Epilogue{Residual: l.states}, &l.scratch)
	l.path.LayerNorm(l.states, l.gamma, l.beta, 1e-12)
}

func (l *encoderLayer) attend() {
	for t := 0; t < len(l.states); t += tokens * width {
		l.path.Attention(l.mixed[t:t+tokens*width], l.projected[3*t:3*(t+tokens*width)], tokens, heads, headSize, &l.scratch)
	}
}

// BenchmarkLayer runs a whole layer over batches of 24-token texts.
func BenchmarkLayer(b *testing.B) {
	for _, texts := range []int{1, 8, 32} {
		for _, p := range []Path{AVX2, Best()} {
			for _, d := range dtypes {
				l := newEncoderLayer(b, p, d, texts)
				b.Run(fmt.Sprintf("%d/%s/%s", texts, p, d), func(b *testing.B) {
					for b.Loop() {
						l.run()
					}
					weights := 4*width*width + 2*width*hidden
					reportRate(b, 2*float64(texts*tokens*weights))
				})
			}
		}
	}
}

// BenchmarkSteps measures what a layer does besides its products, over 32 texts.
func BenchmarkSteps(b *testing.B) {
	for _, p := range Paths() {
		l := newEncoderLayer(b, p, F32, 32)
		b.Run("attention/"+p.String(), func(b *testing.B) {
			for b.Loop() {
				l.attend()
			}
		})
		b.Run("layernorm/"+p.String(), func(b *testing.B) {
			for b.Loop() {
				p.LayerNorm(l.states, l.gamma, l.beta, 1e-12)
			}
		})
		for a := GELU; a < activations; a++ {
			b.Run(fmt.Sprintf("activation%d/%s", a, p), func(b *testing.B) {
				loops := p.loops()
				tile := make([]float32, loops.rows*loops.cols)
				for b.Loop() {
					for range len(l.expanded) / len(tile) {
						loops.activate[a](tile, loops.cols, loops.rows)
					}
				}
			})
		}
	}
}

// BenchmarkConvert turns one row of activations into what a product reads.
func BenchmarkConvert(b *testing.B) {
	x := random(rand.New(rand.NewPCG(7, 8)), hidden)
	for _, p := range Paths() {
		for _, d := range dtypes[1:] {
			m, err := Pack(p, d, make([]float32, hidden), nil, 1, hidden)
			if err != nil {
				b.Fatal(err)
			}
			var s Scratch
			s.grow(m, 1, m.stride())
			b.Run(fmt.Sprintf("%s/%s", p, d), func(b *testing.B) {
				b.SetBytes(4 * hidden)
				for b.Loop() {
					m.packRows(&s, x, m.stride())
				}
			})
		}
	}
}

func BenchmarkPack(b *testing.B) {
	w := random(rand.New(rand.NewPCG(5, 6)), width*hidden)
	for _, d := range dtypes {
		b.Run(d.String(), func(b *testing.B) {
			b.SetBytes(int64(4 * len(w)))
			for b.Loop() {
				if _, err := Pack(Best(), d, w, nil, hidden, width); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
