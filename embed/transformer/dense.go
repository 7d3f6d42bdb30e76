package transformer

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"starling/embed/internal/jsonfile"
	"starling/embed/transformer/kernel"
	"starling/vec"
)

// A dense is a Dense module: a linear layer over the pooled vector and a
// function of each value. It is small, so it is float32 whatever the encoder is.
type dense struct {
	in, out  int
	weights  []float32 // out x in
	bias     []float32 // nil for none
	activate func(float64) float64
}

// apply implements [step].
func (d dense) apply(x []float32) []float32 {
	y := make([]float32, d.out)
	vec.DotRows(y, d.weights, x)
	if d.bias != nil {
		vec.AddScaled(y, d.bias, 1)
	}
	for i, v := range y {
		y[i] = float32(d.activate(float64(v)))
	}
	return y
}

// functions are the activations of a Dense module by the last part of their
// name in torch.nn.
var functions = map[string]func(float64) float64{
	"Identity": func(x float64) float64 { return x },
	"Tanh":     math.Tanh,
	"ReLU":     func(x float64) float64 { return max(x, 0) },
	"Sigmoid":  func(x float64) float64 { return 1 / (1 + math.Exp(-x)) },
	"GELU":     func(x float64) float64 { return x / 2 * math.Erfc(-x/math.Sqrt2) },
}

// readDense reads a Dense module for vectors of in values, and names its files.
func readDense(dir string, in int) (d dense, files []string, err error) {
	path := filepath.Join(dir, configName)
	object, err := jsonfile.Read(path, maxConfigBytes)
	if err != nil {
		return d, nil, err
	}
	d, biased, err := parseDense(object, in)
	if err != nil {
		return d, nil, fmt.Errorf("reading %s: %w", path, err)
	}
	weights, err := openWeights(dir)
	if err != nil {
		return d, nil, err
	}
	files = append(weights.Paths(), path)
	l := loader{weights: weights}
	if d.weights, err = l.floats("linear.weight", d.out, in); err == nil && biased {
		d.bias, err = l.floats("linear.bias", d.out)
	}
	return d, files, errors.Join(err, weights.Close())
}

// parseDense returns a dense without its numbers, and whether it has a bias.
func parseDense(object jsonfile.Object, in int) (d dense, biased bool, err error) {
	biased = true
	input, function := sentenceEmbedding, "torch.nn.modules.activation.Tanh"
	err = errors.Join(
		size(object, "in_features", 1, 1<<16, &d.in),
		size(object, "out_features", 1, 1<<16, &d.out),
		object.Get("bias", &biased),
		object.Get("activation_function", &function),
		object.Get("module_input_name", &input),
	)
	if err != nil {
		return d, biased, err
	}
	d.activate = functions[function[strings.LastIndexByte(function, '.')+1:]]
	switch {
	case d.in != in:
		err = fmt.Errorf("in_features is %d, but the vectors before have %d values", d.in, in)
	case d.activate == nil || !strings.HasPrefix(function, "torch.nn."):
		known := strings.Join(slices.Sorted(maps.Keys(functions)), ", ")
		err = fmt.Errorf("activation_function is %q, but only %s of torch.nn are known", function, known)
	case input != sentenceEmbedding:
		err = fmt.Errorf("module_input_name is %q, but only %s is known", input, sentenceEmbedding)
	}
	return d, biased, err
}

// sentenceEmbedding is what the pooled vector is called.
const sentenceEmbedding = "sentence_embedding"

// A unit is a module that scales a vector to length one.
type unit struct{}

// apply implements [step].
func (unit) apply(x []float32) []float32 {
	kernel.Normalise(x)
	return x
}
