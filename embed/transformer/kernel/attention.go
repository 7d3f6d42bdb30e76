package kernel

import (
	"fmt"
	"math"
)

// lowest is the score of a token that does not exist: its weight is zero, or
// too small to change a sum.
var lowest = float32(math.Inf(-1))

// Attention sets dst, tokens x width values with width = heads*headSize, to the
// self-attention of one text: softmax(q k^T / sqrt(headSize)) v for each head.
// qkv holds for each token its query, key and value, each width values, the
// heads one after the other: tokens x 3*width. dst and qkv must not overlap.
func (p Path) Attention(dst, qkv []float32, tokens, heads, headSize int, s *Scratch) {
	width := heads * headSize
	if len(dst) != tokens*width || len(qkv) != 3*len(dst) {
		panic(fmt.Sprintf("kernel: attention of %d tokens, %d heads of %d, from %d values to %d",
			tokens, heads, headSize, len(qkv), len(dst)))
	}
	l := p.loops()
	a := attention{
		loops: l, scratch: s,
		tokens: tokens, size: headSize, width: width,
		padded: (tokens + l.cols - 1) / l.cols * l.cols,
	}
	s.keys = grown(s.keys, a.padded*headSize)
	s.values = grown(s.values, tokens*(headSize+l.cols))
	s.scores = grown(s.scores, l.rows*a.padded)
	s.tile = grown(s.tile, l.rows*l.cols)
	for h := range heads {
		a.head(dst[h*headSize:], qkv[h*headSize:])
	}
}

// An attention is one call of [Path.Attention].
type attention struct {
	*loops
	scratch             *Scratch
	tokens, size, width int
	padded              int // tokens, filled up to whole panels
}

// head computes one head, whose first output and query begin dst and qkv.
func (a *attention) head(dst, qkv []float32) {
	a.packKeys(qkv[a.width:])
	a.packValues(qkv[2*a.width:])
	for r := 0; r < a.tokens; r += a.rows {
		rows := min(a.rows, a.tokens-r)
		a.weigh(qkv[r*3*a.width:], rows)
		a.mix(dst[r*a.width:], rows)
	}
}

// packKeys lays out the keys as weights are: [panel][size][cols].
func (a *attention) packKeys(keys []float32) {
	for t := 0; t < a.tokens; t += a.cols {
		a.transpose(a.scratch.keys[t*a.size:], keys[t*3*a.width:], 3*a.width, min(a.cols, a.tokens-t), a.size)
	}
}

// packValues lays out the values as weights are: [panel][tokens][cols].
func (a *attention) packValues(values []float32) {
	to := a.scratch.values
	for n := 0; n < a.size; n += a.cols {
		cols := min(a.cols, a.size-n)
		for t := range a.tokens {
			copy(to[:cols], values[t*3*a.width+n:])
			clear(to[cols:a.cols])
			to = to[a.cols:]
		}
	}
}

// weigh sets scratch.scores to the attention weights of a tile of queries.
func (a *attention) weigh(queries []float32, rows int) {
	scores := a.scratch.scores
	for t := 0; t < a.tokens; t += a.cols {
		a.f32(scores[t:], a.padded, queries, 3*a.width, a.scratch.keys[t*a.size:], a.size, rows)
	}
	for r := range rows {
		missing := scores[r*a.padded+a.tokens : (r+1)*a.padded]
		for i := range missing {
			missing[i] = lowest
		}
	}
	a.softmax(scores, a.padded, rows, a.padded, float32(1/math.Sqrt(float64(a.size))))
}

// mix sets rows of dst to the values weighed by scratch.scores.
func (a *attention) mix(dst []float32, rows int) {
	for n := 0; n < a.size; n += a.cols {
		values := a.scratch.values[n*a.tokens:]
		if cols := a.size - n; cols < a.cols {
			tile := a.scratch.tile
			a.f32(tile, a.cols, a.scratch.scores, a.padded, values, a.tokens, rows)
			copyRows(dst[n:], tile, a.width, a.cols, rows, cols)
			return
		}
		a.f32(dst[n:], a.width, a.scratch.scores, a.padded, values, a.tokens, rows)
	}
}
