// Package transformer runs sentence encoders of the BERT and DistilBERT
// families from the model folders that sentence-transformers writes.
//
//	model, err := transformer.Open("all-MiniLM-L6-v2", transformer.Options{})
//	vectors, err := model.Embed(ctx, []string{"the train is late again"})
//
// A folder holds config.json and weights as safetensors, one file or many with
// an index; a WordPiece tokenizer (package wordpiece); and, if they differ from
// mean pooling, what makes an embedding of hidden states: modules.json with its
// modules for pooling, dense layers and unit length. Folders come from
// anywhere, so all of it is checked: sizes, shapes, numbers that are not finite,
// names that lead out of the folder. Python pickles are never read.
//
// A text becomes tokens, the network turns these into hidden states, pooling
// makes one vector of them. Texts of a batch are computed one after the other
// without padding, so that a text's vector is the same, bit for bit, whatever
// texts come with it. It does depend on the processor: each set of
// instructions adds in its own order.
package transformer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"runtime/debug"

	"golang.org/x/sync/errgroup"

	"starling/embed"
	"starling/embed/transformer/kernel"
)

// Options say how a model is loaded. The zero value is right for most.
type Options struct {
	// Name is what Info calls the model. Empty means the folder's.
	Name string
	// DType is the number format of the weights and of what they are
	// multiplied with: "f32" is what the model was made for; "bf16" is about
	// twice as fast on a processor with AVX512_BF16; "int8" is faster still
	// with AVX512_VNNI, and less exact. Empty means bf16 on a processor that
	// has it and f32 on any other.
	DType string
	// NoNormalize leaves the vectors at the length that the folder's modules
	// give them, instead of one.
	NoNormalize bool
	// Prefix is put before every text, such as "query: ". Empty means the
	// folder's default prompt, where it names one.
	Prefix string
}

// A Model is a loaded model. It is safe for use by several goroutines.
type Model struct {
	info     embed.Info
	input    input
	encoder  *encoder
	pipeline pipeline
	raw      bool // vectors are not scaled to length one
	// workers holds the scratch of every worker that is idle: as many as the
	// program has cores.
	workers chan *scratch
}

var _ embed.Embedder = (*Model)(nil)

// Open loads the model in the folder dir. Errors name the file, and the field
// or tensor, that is wrong. No file is held open, and the folder may go, once
// the model is loaded.
func Open(dir string, opts Options) (*Model, error) {
	m, err := open(dir, opts, kernel.Best())
	if err != nil {
		return nil, fmt.Errorf("loading the model in %s: %w", dir, err)
	}
	return m, nil
}

// open loads a model for a set of instructions.
func open(dir string, opts Options, path kernel.Path) (*Model, error) {
	dtype, err := parseDType(opts.DType, path)
	if err != nil {
		return nil, err
	}
	modules, err := readModules(dir)
	if err != nil {
		return nil, err
	}
	c, err := readConfig(modules[0].dir)
	if err != nil {
		return nil, err
	}
	m := &Model{raw: opts.NoNormalize, workers: make(chan *scratch, runtime.GOMAXPROCS(0))}
	for range cap(m.workers) {
		m.workers <- new(scratch)
	}
	if m.pipeline, err = readPipeline(modules, c.dim); err != nil {
		return nil, err
	}
	if m.input, err = readInput(dir, modules[0].dir, opts.Prefix, c); err != nil {
		return nil, err
	}
	if err := m.load(dir, modules[0].dir, c, path, dtype); err != nil {
		return nil, err
	}
	m.describe(cmp.Or(opts.Name, dir))
	return m, nil
}

// load packs the weights in the folder dir and meanwhile reads all that the
// vectors depend on once more, for the fingerprint.
func (m *Model) load(root, dir string, c config, path kernel.Path, dtype kernel.DType) error {
	weights, err := openWeights(dir)
	if err != nil {
		return err
	}
	var loading errgroup.Group
	loading.Go(func() (err error) {
		m.encoder, err = loadEncoder(weights, c, path, dtype)
		return err
	})
	loading.Go(func() (err error) {
		m.info.Fingerprint, err = m.fingerprint(root, dir, weights.Paths(), dtype)
		return err
	})
	err = errors.Join(loading.Wait(), weights.Close())
	debug.FreeOSMemory() // packing leaves some copies of the largest layer
	return err
}

// describe sets what Info says, but for the fingerprint.
func (m *Model) describe(name string) {
	e := m.encoder
	m.info.Name = name
	m.info.Dim = m.pipeline.dim
	m.info.Licence = "NOASSERTION"
	m.info.Description = fmt.Sprintf("%s encoder, %d layers of %d, %s pooling, texts of up to %d tokens, computed in %s.",
		e.family.title, e.config.layers, e.dim, m.pipeline.pooling, m.input.maxTokens, e.dtype)
}

// parseDType returns the number format of a name.
func parseDType(name string, path kernel.Path) (kernel.DType, error) {
	if name == "" {
		if path.Native(kernel.BF16) {
			return kernel.BF16, nil
		}
		return kernel.F32, nil
	}
	for _, dtype := range []kernel.DType{kernel.F32, kernel.BF16, kernel.Int8} {
		if dtype.String() == name {
			return dtype, nil
		}
	}
	return 0, fmt.Errorf("there is no dtype %q: f32, bf16 and int8 are known", name)
}

// Embed implements [embed.Embedder]. Texts longer than the model takes are cut
// after the last token that fits. An [embed.TextError] says that a text has no
// tokens, or that its vector is zero or not finite. Several texts are shared out among the cores
// that are idle; calls at the same time do not use more than there are.
func (m *Model) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b := &batch{rows: make([][]float32, len(texts)), lengths: make([]int, len(texts))}
	for i, text := range texts {
		before := len(b.ids)
		b.ids = m.input.append(b.ids, text)
		if b.lengths[i] = len(b.ids) - before; b.lengths[i] == 0 {
			return nil, &embed.TextError{Index: i, Err: errNoTokens}
		}
	}
	b.split(cap(m.workers))
	if err := m.run(ctx, b); err != nil {
		return nil, err
	}
	return b.rows, nil
}

var (
	errNoTokens  = errors.New("the text has no tokens")
	errNotFinite = errors.New("the vector of the text is not finite")
	errZero      = errors.New("the vector of the text is zero")
)

// shortest is the length up to which a vector is taken for zero.
const shortest = 1e-12

// finish returns the embedding of a text, whose hidden states are given.
func (m *Model) finish(states []float32) ([]float32, error) {
	x := m.pipeline.apply(states, m.encoder.dim)
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	length := math.Sqrt(sum)
	switch {
	case length-length != 0:
		return nil, errNotFinite
	case m.raw:
		return x, nil
	case length < shortest:
		return nil, errZero
	}
	for i, v := range x {
		x[i] = float32(float64(v) / length)
	}
	return x, nil
}

// Tokenize returns the ids of a text's tokens as the encoder sees them: with
// the prefix, the special tokens and no more than the model takes.
func (m *Model) Tokenize(text string) []int {
	ids := m.input.append(nil, text)
	tokens := make([]int, len(ids))
	for i, id := range ids {
		tokens[i] = int(id)
	}
	return tokens
}

// Dim implements [embed.Embedder].
func (m *Model) Dim() int { return m.pipeline.dim }

// Info implements [embed.Embedder].
func (m *Model) Info() embed.Info { return m.info }
