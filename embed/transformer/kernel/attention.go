package kernel

import (
	"fmt"
	"math"
)

// Attention sets dst, tokens x width values with width = heads*headSize, to the
// self-attention of one text: softmax(q k^T / sqrt(headSize)) v for each head
// (Vaswani et al. 2017, section 3.2). qkv holds for each token its query, key
// and value, each width values, the heads one after the other: tokens x 3*width.
// dst and qkv must not overlap.
func (p Path) Attention(dst, qkv []float32, tokens, heads, headSize int, s *Scratch) {
	width := heads * headSize
	if len(dst) != tokens*width || len(qkv) != 3*len(dst) {
		panic(fmt.Sprintf("kernel: attention of %d tokens, %d heads of %d, from %d values to %d",
			tokens, heads, headSize, len(qkv), len(dst)))
	}
	if len(dst) == 0 {
		return
	}
	a := attention{loops: p.loops(), scratch: s, tokens: tokens, size: headSize, width: width}
	s.queries = grown(s.queries, headSize*a.cols)
	s.values = grown(s.values, tokens*(headSize+a.cols))
	s.scores = grown(s.scores, tokens*a.cols)
	s.part = grown(s.part, a.rows*a.cols)
	for h := range heads {
		a.head(dst[h*headSize:], qkv[h*headSize:])
	}
}

// noBias is what a product adds that is not one of a layer.
var noBias = make([]float32, maxCols)

// An attention is one call of [Path.Attention]. It takes a panel of queries at
// a time, one in each column, and computes its scores with all keys, so that
// the softmax goes down the columns and no lanes of a vector must be combined.
type attention struct {
	*loops
	scratch             *Scratch
	tokens, size, width int
}

// head computes one head, whose first output and query begin dst and qkv.
func (a *attention) head(dst, qkv []float32) {
	a.packValues(qkv[2*a.width:])
	for first := 0; first < a.tokens; first += a.cols {
		queries := min(a.cols, a.tokens-first)
		a.transpose(a.scratch.queries, qkv[first*3*a.width:], 3*a.width, queries, a.size)
		a.weigh(qkv[a.width:])
		for q := 0; q < queries; q += a.rows {
			a.mix(dst[(first+q)*a.width:], q, min(a.rows, queries-q))
		}
	}
}

// packValues lays out the values as weights are: [panel][tokens][cols].
func (a *attention) packValues(values []float32) {
	for n := 0; n < a.size; n += a.cols {
		to, from := a.scratch.values[n*a.tokens:], values[n:]
		if n+a.cols <= a.size {
			a.gather(to, from, 3*a.width, a.tokens)
		} else {
			copyRows(to, from, a.cols, 3*a.width, a.tokens, a.size-n)
		}
	}
}

// weigh sets scratch.scores, tokens x cols, to the weights of all tokens for a
// panel of queries.
func (a *attention) weigh(keys []float32) {
	scores := a.scratch.scores
	for t := 0; t < a.tokens; t += a.rows {
		a.f32(scores[t*a.cols:], a.cols, keys[t*3*a.width:], 3*a.width, 1, a.scratch.queries, a.size, min(a.rows, a.tokens-t), noBias, nil)
	}
	a.softmax(scores, a.tokens, float32(1/math.Sqrt(float64(a.size))))
}

// mix sets rows of dst to the values weighed for as many queries of the panel,
// from query on.
func (a *attention) mix(dst []float32, query, rows int) {
	weights, part := a.scratch.scores[query:], a.scratch.part
	for n := 0; n < a.size; n += a.cols {
		values := a.scratch.values[n*a.tokens:]
		if n+a.cols <= a.size {
			a.f32(dst[n:], a.width, weights, 1, a.cols, values, a.tokens, rows, noBias, nil)
		} else {
			a.f32(part, a.cols, weights, 1, a.cols, values, a.tokens, rows, noBias, nil)
			copyRows(dst[n:], part, a.width, a.cols, rows, a.size-n)
		}
	}
}
