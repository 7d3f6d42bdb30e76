package transformer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"starling/embed/safetensors"
	"starling/embed/transformer/kernel"
)

// openWeights opens the weights of a folder, or says what to do where it has
// none that can be read.
func openWeights(dir string) (*safetensors.Weights, error) {
	weights, err := safetensors.OpenFolder(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return weights, err
	}
	for _, name := range []string{"pytorch_model.bin", "pytorch_model.bin.index.json"} {
		if _, statErr := os.Stat(filepath.Join(dir, name)); statErr == nil {
			return nil, fmt.Errorf("the folder %s has its weights in %s only, a Python pickle, which can run code and is not read: "+
				"convert it to %s, in Python with AutoModel.from_pretrained(dir).save_pretrained(dir) of transformers 4.35 or later",
				dir, name, safetensors.FileName)
		}
	}
	return nil, fmt.Errorf("the folder %s has no weights: neither %s nor %s is there: %w",
		dir, safetensors.FileName, safetensors.IndexName, fs.ErrNotExist)
}

// A loader takes an encoder's tensors from its files, checks their shapes and
// packs them. Each goroutine has its own.
type loader struct {
	weights *safetensors.Weights
	prefix  string // of every name
	path    kernel.Path
	dtype   kernel.DType
	rows    []float32 // room for the weights of the largest linear layer
}

// prefixOf returns what stands before the names of the tensors.
func prefixOf(weights *safetensors.Weights, f *family) string {
	if _, ok := weights.Tensor(f.prefix + wordEmbeddings); ok {
		return f.prefix
	}
	return ""
}

// tensor returns the tensor name, which must have the given shape.
func (l *loader) tensor(name string, shape ...int) (safetensors.Tensor, error) {
	tensor, ok := l.weights.Tensor(l.prefix + name)
	if !ok {
		return tensor, fmt.Errorf("reading %s: there is no tensor %q", l.weights.Paths()[0], l.prefix+name)
	}
	if !slices.Equal(tensor.Shape, shape) {
		return tensor, fmt.Errorf("reading %s: tensor %q has the shape %v, but %s asks for %v",
			tensor.Path(), tensor.Name, tensor.Shape, configName, shape)
	}
	return tensor, nil
}

// floats returns the numbers of a tensor, which must be finite.
func (l *loader) floats(name string, shape ...int) ([]float32, error) {
	tensor, err := l.tensor(name, shape...)
	if err != nil {
		return nil, err
	}
	values := make([]float32, tensor.Len())
	return values, readFinite(tensor, values)
}

// readFinite reads all of a tensor into dst, which has its length.
func readFinite(tensor safetensors.Tensor, dst []float32) error {
	if err := tensor.Float32s(dst, 0); err != nil {
		return err
	}
	return checkFinite(tensor, dst, 0)
}

// checkFinite returns an error where one of the values, those of a tensor from
// number first on, is infinite or not a number.
func checkFinite(tensor safetensors.Tensor, values []float32, first int) error {
	for i, x := range values {
		if x-x != 0 {
			return fmt.Errorf("reading %s: tensor %q is %v at %v", tensor.Path(), tensor.Name, x, position(first+i, tensor.Shape))
		}
	}
	return nil
}

// position returns the indices of the number at flat index i.
func position(i int, shape []int) []int {
	at := make([]int, len(shape))
	for d := len(shape) - 1; d >= 0; d-- {
		at[d] = i % shape[d]
		i /= shape[d]
	}
	return at
}

// linear packs the linear layers names, of out outputs each, as one.
func (l *loader) linear(in, out int, names ...string) (*kernel.Matrix, error) {
	rows := l.rows[:len(names)*in*out]
	var bias []float32
	for i, name := range names {
		tensor, err := l.tensor(name+".weight", out, in)
		if err != nil {
			return nil, err
		}
		if err := readFinite(tensor, rows[i*in*out:(i+1)*in*out]); err != nil {
			return nil, err
		}
		part, err := l.floats(name+".bias", out)
		if err != nil {
			return nil, err
		}
		bias = append(bias, part...)
	}
	return kernel.Pack(l.path, l.dtype, rows, bias, len(bias), in)
}

// norm returns a layer normalisation, under its name of today or of 2018.
func (l *loader) norm(name string, dim int) (norm, error) {
	gamma, beta := name+".weight", name+".bias"
	if _, ok := l.weights.Tensor(l.prefix + name + ".gamma"); ok {
		gamma, beta = name+".gamma", name+".beta"
	}
	var n norm
	var errs [2]error
	n.gamma, errs[0] = l.floats(gamma, dim)
	n.beta, errs[1] = l.floats(beta, dim)
	return n, errors.Join(errs[:]...)
}

const (
	wordEmbeddings     = "embeddings.word_embeddings.weight"
	positionEmbeddings = "embeddings.position_embeddings.weight"
	typeEmbeddings     = "embeddings.token_type_embeddings.weight"
	embeddingNorm      = "embeddings.LayerNorm"
)

// embeddings returns what stands before the first layer.
func (l *loader) embeddings(c config) (embeddings, error) {
	var e embeddings
	tensor, err := l.tensor(wordEmbeddings, c.vocab, c.dim)
	if err != nil {
		return e, err
	}
	if e.words, err = table(tensor); err != nil {
		return e, err
	}
	if e.places, err = l.floats(positionEmbeddings, c.positions, c.dim); err != nil {
		return e, err
	}
	if c.types > 0 {
		types, err := l.floats(typeEmbeddings, c.types, c.dim)
		if err != nil {
			return e, err
		}
		e.addToPlaces(types[:c.dim])
	}
	e.norm, err = l.norm(embeddingNorm, c.dim)
	return e, err
}

// table copies the table of word embeddings and checks that it is finite.
func table(tensor safetensors.Tensor) (safetensors.Tensor, error) {
	words, err := tensor.Clone()
	if err != nil {
		return words, err
	}
	row := make([]float32, tensor.Shape[1])
	for first := 0; first < words.Len(); first += len(row) {
		if err := words.Float32s(row, first); err != nil {
			return words, err
		}
		if err := checkFinite(tensor, row, first); err != nil {
			return words, err
		}
	}
	return words, nil
}

// layer returns the encoder layer with a number.
func (l *loader) layer(c config, number int) (layer, error) {
	n := c.family.names
	at := func(name string) string { return fmt.Sprintf("%s%d.%s", c.family.layer, number, name) }
	var y layer
	var errs [6]error
	y.qkv, errs[0] = l.linear(c.dim, c.dim, at(n.query), at(n.key), at(n.value))
	y.attention, errs[1] = l.linear(c.dim, c.dim, at(n.attention))
	y.attentionNorm, errs[2] = l.norm(at(n.attentionNorm), c.dim)
	y.up, errs[3] = l.linear(c.dim, c.hidden, at(n.up))
	y.down, errs[4] = l.linear(c.hidden, c.dim, at(n.down))
	y.outputNorm, errs[5] = l.norm(at(n.outputNorm), c.dim)
	return y, errors.Join(errs[:]...)
}
