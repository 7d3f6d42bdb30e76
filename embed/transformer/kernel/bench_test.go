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

// BenchmarkSteps measures what a layer does besides its products, for 32 texts
// of 24 tokens: the share of each in the time of a layer is what counts.
func BenchmarkSteps(b *testing.B) {
	const texts, tokens, heads, size, width, hidden = 32, 24, 12, 64, 768, 3072
	r := rand.New(rand.NewPCG(3, 4))
	qkv, states, gamma := random(r, texts*tokens*3*width), random(r, texts*tokens*width), random(r, width)
	up := random(r, texts*tokens*hidden)
	s := new(Scratch)
	for _, p := range Paths() {
		b.Run("attention/"+p.String(), func(b *testing.B) {
			for b.Loop() {
				for t := range texts {
					p.Attention(states[t*tokens*width:(t+1)*tokens*width], qkv[t*tokens*3*width:(t+1)*tokens*3*width], tokens, heads, size, s)
				}
			}
		})
		b.Run("layernorm/"+p.String(), func(b *testing.B) {
			for b.Loop() {
				p.LayerNorm(states, gamma, gamma, 1e-12)
			}
		})
		for a := Identity; a < activations; a++ {
			b.Run(fmt.Sprintf("activation%d/%s", a, p), func(b *testing.B) {
				l := p.loops()
				tile, bias := random(r, l.rows*l.cols), make([]float32, l.cols)
				for b.Loop() {
					for range len(up) / len(tile) {
						l.finish[a](up, nil, l.cols, tile, bias, l.rows)
					}
				}
			})
		}
	}
}

func BenchmarkPack(b *testing.B) {
	w := random(rand.New(rand.NewPCG(5, 6)), 768*3072)
	for _, d := range dtypes {
		b.Run(d.String(), func(b *testing.B) {
			b.SetBytes(int64(4 * len(w)))
			for b.Loop() {
				if _, err := Pack(Best(), d, w, nil, 3072, 768); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
