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
			l.rows = make([]float32, c.dim*max(3*c.dim, c.hidden))
			for i := first; i < c.layers && err == nil; i += workers {
				e.layers[i], err = l.layer(c, i)
			}
			return err
		})
	}
	return e, loading.Wait()
}

// encode returns the hidden states after the last layer, which stay until the
// team's next text. The texts of the batch follow each other in ids without
// padding; lengths holds their tokens, each text at least one and no more than
// the model has positions.
//
// Attention apart, a token's row is computed without the others, so the members
// of the team each take a run of rows, from the attention of one layer to that
// of the next.
func (e *encoder) encode(ids []int32, lengths []int, t team) ([]float32, error) {
	x := t.values(e.config, len(ids))
	if err := e.embed(ids, lengths, x.states); err != nil {
		return nil, err
	}
	for i := range e.layers {
		t.share(len(ids), func(own *scratch, from, to int) {
			if i > 0 {
				e.layers[i-1].finish(e, x.rows(from, to), own)
			}
			e.layers[i].begin(x.rows(from, to), own)
		})
		t.share(len(lengths), func(own *scratch, from, to int) { e.attend(x, lengths, from, to, own) })
	}
	t.share(len(ids), func(own *scratch, from, to int) { e.layers[len(e.layers)-1].finish(e, x.rows(from, to), own) })
	return x.states, nil
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
	e.normalise(states, e.norm)
	return nil
}

// begin sets the queries, keys and values of a layer.
func (l *layer) begin(x values, own *scratch) {
	l.qkv.Multiply(x.qkv, x.states, x.tokens, kernel.Epilogue{}, &own.kernel)
}

// attend sets the mixed values of the texts from one number to another.
func (e *encoder) attend(x values, lengths []int, from, to int, own *scratch) {
	at := 0
	for i, length := range lengths[:to] {
		if i >= from {
			text := x.rows(at, at+length)
			e.path.Attention(text.mixed, text.qkv, length, e.heads, e.dim/e.heads, &own.kernel)
		}
		at += length
	}
}

// finish replaces hidden states by what the layer makes of them and of the
// mixed values.
func (l *layer) finish(e *encoder, x values, own *scratch) {
	l.attention.Multiply(x.states, x.mixed, x.tokens, kernel.Epilogue{Residual: x.states}, &own.kernel)
	e.normalise(x.states, l.attentionNorm)
	for at := 0; at < x.tokens; at += feedRows {
		e.feedForward(l, x.rows(at, min(at+feedRows, x.tokens)), own)
	}
	e.normalise(x.states, l.outputNorm)
}

// feedRows is how many tokens go through the feed-forward network together, so
// that its wide values stay in the cache. It is a multiple of the rows that
// any path computes at once.
const feedRows = 168

// feedForward adds to hidden states what the network makes of them.
func (e *encoder) feedForward(l *layer, x values, own *scratch) {
	own.hidden = sized(own.hidden, x.tokens*e.hidden)
	l.up.Multiply(own.hidden, x.states, x.tokens, kernel.Epilogue{Activation: e.activation}, &own.kernel)
	l.down.Multiply(x.states, own.hidden, x.tokens, kernel.Epilogue{Residual: x.states}, &own.kernel)
}

func (e *encoder) normalise(rows []float32, n norm) {
	e.path.LayerNorm(rows, n.gamma, n.beta, float32(e.epsilon))
}
