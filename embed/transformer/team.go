package transformer

import (
	"sync"

	"starling/embed/transformer/kernel"
)

// A scratch is what one worker computes with. It grows to the largest batch it
// has seen.
type scratch struct {
	kernel kernel.Scratch
	hidden []float32 // of the feed-forward network
	values values    // where the worker leads a team
}

// values are what the layers compute for the tokens of a batch.
type values struct {
	tokens int
	// states are the hidden states, and mixed the values that attention has
	// mixed, both tokens x dim; qkv are queries, keys and values, tokens x 3*dim.
	states, mixed, qkv []float32
}

// rows returns the values of the tokens from one number to another.
func (x values) rows(from, to int) values {
	dim := len(x.states) / x.tokens
	return values{
		tokens: to - from,
		states: x.states[from*dim : to*dim],
		mixed:  x.mixed[from*dim : to*dim],
		qkv:    x.qkv[from*3*dim : to*3*dim],
	}
}

// A team is the workers that compute a batch together, the first of which leads.
type team []*scratch

// values returns the leader's values, with room for a batch.
func (t team) values(c config, tokens int) values {
	x := &t[0].values
	x.tokens = tokens
	x.states = sized(x.states, tokens*c.dim)
	x.mixed = sized(x.mixed, tokens*c.dim)
	x.qkv = sized(x.qkv, tokens*3*c.dim)
	return *x
}

// share cuts n things in runs of about one size, one for each member, and
// calls do for every run that is not empty. It returns when all are done.
func (t team) share(n int, do func(own *scratch, from, to int)) {
	var others sync.WaitGroup
	for i, own := range t[1:] {
		if from, to := n*i/len(t), n*(i+1)/len(t); from < to {
			others.Go(func() { do(own, from, to) })
		}
	}
	if from := n * (len(t) - 1) / len(t); from < n {
		do(t[0], from, n)
	}
	others.Wait()
}

// sized returns a slice of n values, x itself where it is large enough.
func sized(x []float32, n int) []float32 {
	if n > cap(x) {
		return make([]float32, n)
	}
	return x[:n]
}
