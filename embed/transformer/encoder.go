package transformer

import (
	"runtime"

	"golang.org/x/sync/errgroup"

	"starling/embed/safetensors"
	"starling/embed/transformer/kernel"
	"starling/vec"
)

// An encoder is the network from token ids to hidden states. It is never
// written once it is loaded.
type encoder struct {
	config
	path  kernel.Path
	dtype kernel.DType
	embeddings
	layers []layer
}

// embeddings are what stands before the first layer.
type embeddings struct {
	words safetensors.Tensor // vocab x dim, in the format of the file
	// places holds positions x dim values: what a token's place in the text
	// adds, and the first token type, which all tokens have.
	places []float32
	norm   norm
}

// A layer is attention and a feed-forward network, each added to its input and
// normalised: Vaswani et al., "Attention is all you need" (2017), section 3.1.
type layer struct {
	qkv, attention *kernel.Matrix // dim to 3*dim, dim to dim
	attentionNorm  norm
	up, down       *kernel.Matrix // dim to hidden, hidden to dim
	outputNorm     norm
}

// A norm holds the factors of a layer normalisation.
type norm struct{ gamma, beta []float32 }

// addToPlaces adds a row to every place.
func (e *embeddings) addToPlaces(row []float32) {
	for at := 0; at < len(e.places); at += len(row) {
		vec.AddScaled(e.places[at:at+len(row)], row, 1)
	}
}

// loadEncoder packs the weights of an encoder, layers side by side on all
// cores.
func loadEncoder(weights *safetensors.Weights, c config, path kernel.Path, dtype kernel.DType) (*encoder, error) {
	e := &encoder{config: c, path: path, dtype: dtype, layers: make([]layer, c.layers)}
	newLoader := func() *loader {
		return &loader{weights: weights, prefix: prefixOf(weights, c.family), path: path, dtype: dtype}
	}
	var loading errgroup.Group
	loading.Go(func() (err error) {
		e.embeddings, err = newLoader().embeddings(c)
		return err
	})
	workers := min(runtime.GOMAXPROCS(0), c.layers)
	for first := range workers {
		loading.Go(func() (err error) {
			l := newLoader()
			for i := first; i < c.layers && err == nil; i += workers {
				e.layers[i], err = l.layer(c, i)
			}
			return err
		})
	}
	return e, loading.Wait()
}

// A scratch holds what one worker computes with: the hidden states and what
// leads from one layer to the next. It grows to the largest batch it has seen.
type scratch struct {
	kernel kernel.Scratch
	// states are the hidden states, tokens x dim; mixed is as large.
	states, mixed []float32
	qkv           []float32 // tokens x 3*dim
	hidden        []float32 // feedRows x hidden
}

// grow makes room for a batch.
func (s *scratch) grow(c config, tokens int) {
	s.states = sized(s.states, tokens*c.dim)
	s.mixed = sized(s.mixed, tokens*c.dim)
	s.qkv = sized(s.qkv, tokens*3*c.dim)
	s.hidden = sized(s.hidden, min(tokens, feedRows)*c.hidden)
}

// sized returns a slice of n values, x itself where it is large enough.
func sized(x []float32, n int) []float32 {
	if n > cap(x) {
		return make([]float32, n)
	}
	return x[:n]
}

// encode sets s.states to the hidden states after the last layer. The texts of
// the batch follow each other in ids without padding; lengths holds their
// tokens, each text at least one and no more than the model has positions.
func (e *encoder) encode(ids []int32, lengths []int, s *scratch) error {
	s.grow(e.config, len(ids))
	if err := e.embed(ids, lengths, s.states); err != nil {
		return err
	}
	for i := range e.layers {
		e.apply(&e.layers[i], lengths, s)
	}
	return nil
}

// embed sets states to the input of the first layer.
func (e *encoder) embed(ids []int32, lengths []int, states []float32) error {
	row := states
	for _, length := range lengths {
		for place, id := range ids[:length] {
			if err := e.words.Float32s(row[:e.dim], int(id)*e.dim); err != nil {
				return err
			}
			vec.AddScaled(row[:e.dim], e.places[place*e.dim:(place+1)*e.dim], 1)
			row = row[e.dim:]
		}
		ids = ids[length:]
	}
	e.normalize(states, e.embeddings.norm)
	return nil
}

// apply replaces the hidden states by what a layer makes of them.
func (e *encoder) apply(l *layer, lengths []int, s *scratch) {
	tokens := len(s.states) / e.dim
	l.qkv.Multiply(s.qkv, s.states, tokens, kernel.Epilogue{}, &s.kernel)
	at := 0
	for _, length := range lengths {
		to := at + length
		e.path.Attention(s.mixed[at*e.dim:to*e.dim], s.qkv[at*3*e.dim:to*3*e.dim], length, e.heads, e.dim/e.heads, &s.kernel)
		at = to
	}
	l.attention.Multiply(s.states, s.mixed, tokens, kernel.Epilogue{Residual: s.states}, &s.kernel)
	e.normalize(s.states, l.attentionNorm)
	for at := 0; at < tokens; at += feedRows {
		e.feedForward(l, s.states[at*e.dim:min(at+feedRows, tokens)*e.dim], s)
	}
	e.normalize(s.states, l.outputNorm)
}

// feedRows is how many tokens go through the feed-forward network together, so
// that its wide values stay in the cache. It is a multiple of the rows that
// any path computes at once.
const feedRows = 168

// feedForward adds to rows of hidden states what the network makes of them.
func (e *encoder) feedForward(l *layer, rows []float32, s *scratch) {
	n := len(rows) / e.dim
	hidden := s.hidden[:n*e.config.hidden]
	l.up.Multiply(hidden, rows, n, kernel.Epilogue{Activation: e.activation}, &s.kernel)
	l.down.Multiply(rows, hidden, n, kernel.Epilogue{Residual: rows}, &s.kernel)
}

func (e *encoder) normalize(rows []float32, n norm) {
	e.path.LayerNorm(rows, n.gamma, n.beta, float32(e.epsilon))
}
