package transformer

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"starling/embed/internal/jsonfile"
	"starling/embed/transformer/kernel"
)

// configName is the file that says what a model is.
const configName = "config.json"

// maxConfigBytes bounds config.json and the other small files of a folder.
const maxConfigBytes = 1 << 20

// A config is the shape of an encoder.
type config struct {
	family *family
	layers int
	heads  int
	dim    int // of a hidden state; a multiple of heads
	hidden int // width of the feed-forward layer
	vocab  int // rows of the table of word embeddings
	// positions is the most tokens of a text, special tokens included.
	positions int
	// types is the number of token types; 0 where the family has none.
	types      int
	activation kernel.Activation
	// epsilon is added to the variance in layer normalisation.
	epsilon float64
}

// readConfig reads dir/config.json.
func readConfig(dir string) (config, error) {
	path := filepath.Join(dir, configName)
	object, err := jsonfile.Read(path, maxConfigBytes)
	if err != nil {
		return config{}, err
	}
	c, err := parseConfig(object)
	if err != nil {
		return config{}, fmt.Errorf("reading %s: %w", path, err)
	}
	return c, nil
}

func parseConfig(object jsonfile.Object) (config, error) {
	var modelType string
	if err := object.Get("model_type", &modelType); err != nil {
		return config{}, err
	}
	f, ok := families[modelType]
	if !ok {
		known := strings.Join(slices.Sorted(maps.Keys(families)), " and ")
		return config{}, fmt.Errorf("model_type is %q, but only %s are known", modelType, known)
	}
	c := config{family: f, epsilon: fixedEpsilon}
	err := errors.Join(c.readSizes(object), c.readActivation(object), c.readEpsilon(object), refuseVariants(object))
	return c, err
}

func (c *config) readSizes(object jsonfile.Object) error {
	f := c.family.fields
	err := errors.Join(
		size(object, f.layers, 1, 256, &c.layers),
		size(object, f.heads, 1, 1024, &c.heads),
		size(object, f.dim, 1, 1<<14, &c.dim),
		size(object, f.hidden, 1, 1<<16, &c.hidden),
		size(object, "vocab_size", 1, 1<<22, &c.vocab),
		size(object, "max_position_embeddings", 2, 1<<16, &c.positions),
	)
	if c.family.types {
		c.types = 2
		if _, ok := object["type_vocab_size"]; ok {
			err = errors.Join(err, size(object, "type_vocab_size", 1, 1024, &c.types))
		}
	}
	if err == nil && c.dim%c.heads != 0 {
		err = fmt.Errorf("%s is %d, which is no multiple of %s, %d", f.dim, c.dim, f.heads, c.heads)
	}
	return err
}

// size reads a number from low to high.
func size(object jsonfile.Object, name string, low, high int, to *int) error {
	*to = low - 1
	if err := object.Get(name, to); err != nil {
		return err
	}
	if _, ok := object[name]; !ok {
		return fmt.Errorf("%s is missing", name)
	}
	if *to < low || *to > high {
		return fmt.Errorf("%s is %s, want %d to %d", name, object[name], low, high)
	}
	return nil
}

var activations = map[string]kernel.Activation{
	"gelu":              kernel.GELU,
	"gelu_new":          kernel.GELUTanh,
	"gelu_pytorch_tanh": kernel.GELUTanh,
	"relu":              kernel.ReLU,
}

func (c *config) readActivation(object jsonfile.Object) error {
	name := "gelu"
	field := c.family.fields.activation
	if err := object.Get(field, &name); err != nil {
		return err
	}
	activation, ok := activations[name]
	if !ok {
		known := strings.Join(slices.Sorted(maps.Keys(activations)), ", ")
		return fmt.Errorf("%s is %q, but only %s are known", field, name, known)
	}
	c.activation = activation
	return nil
}

func (c *config) readEpsilon(object jsonfile.Object) error {
	field := c.family.fields.epsilon
	if field == "" {
		return nil
	}
	if err := object.Get(field, &c.epsilon); err != nil {
		return err
	}
	if !(c.epsilon > 0 && c.epsilon < 1) {
		return fmt.Errorf("%s is %v, want more than 0 and less than 1", field, c.epsilon)
	}
	return nil
}

// refuseVariants refuses what would change the forward pass and is not here.
func refuseVariants(object jsonfile.Object) error {
	decoder, positions := false, "absolute"
	if err := errors.Join(object.Get("is_decoder", &decoder), object.Get("position_embedding_type", &positions)); err != nil {
		return err
	}
	if decoder {
		return errors.New("is_decoder is true, but only encoders are known")
	}
	if positions != "absolute" {
		return fmt.Errorf("position_embedding_type is %q, but only absolute is known", positions)
	}
	return nil
}
