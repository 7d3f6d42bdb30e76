// Package modeltest writes model folders with random weights, for tests and
// benchmarks.
//
//	shape := modeltest.Shape{Type: "bert", Layers: 2, Heads: 3, Dim: 36, Hidden: 50, Positions: 64}
//	err := shape.Write(dir)
package modeltest

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// A Shape is a model whose weights are random, but the same for the same Seed.
type Shape struct {
	Type   string // bert or distilbert
	Layers int
	Heads  int
	Dim    int
	Hidden int
	// Positions is the most tokens of a text.
	Positions int
	// Vocabulary holds the tokens by id; nil means [Words](40).
	Vocabulary []string
	// Activation is gelu where it is empty.
	Activation string
	// DType is that of the weights, F32 where it is empty, or BF16.
	DType string
	Seed  uint64
}

// DistilBERTBase is the shape of distilbert-base-uncased.
var DistilBERTBase = Shape{
	Type: "distilbert", Layers: 6, Heads: 12, Dim: 768, Hidden: 3072, Positions: 512, Vocabulary: Words(30522),
}

// Words returns a vocabulary of n tokens: the special ones, then w5, w6 and so
// on up to the last id.
func Words(n int) []string {
	words := append(make([]string, 0, n), "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
	for i := len(words); i < n; i++ {
		words = append(words, fmt.Sprintf("w%d", i))
	}
	return words
}

func (s Shape) vocabulary() []string {
	if s.Vocabulary == nil {
		return Words(40)
	}
	return s.Vocabulary
}

// Write writes a folder with config.json, weights and tokenizer, and so with
// mean pooling.
func (s Shape) Write(dir string) error {
	config, err := json.Marshal(s.Config())
	if err != nil {
		return err
	}
	files := map[string]string{
		"config.json":           string(config),
		"vocab.txt":             strings.Join(s.vocabulary(), "\n") + "\n",
		"tokenizer_config.json": `{"do_lower_case": true, "tokenizer_class": "BertTokenizer"}`,
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			return err
		}
	}
	return WriteSafetensors(filepath.Join(dir, "model.safetensors"), s.Tensors())
}

// Config returns what is in config.json.
func (s Shape) Config() map[string]any {
	activation := s.Activation
	if activation == "" {
		activation = "gelu"
	}
	config := map[string]any{
		"model_type": s.Type, "vocab_size": len(s.vocabulary()), "max_position_embeddings": s.Positions,
	}
	if s.Type == "distilbert" {
		config["n_layers"], config["n_heads"], config["dim"] = s.Layers, s.Heads, s.Dim
		config["hidden_dim"], config["activation"] = s.Hidden, activation
		return config
	}
	config["num_hidden_layers"], config["num_attention_heads"], config["hidden_size"] = s.Layers, s.Heads, s.Dim
	config["intermediate_size"], config["hidden_act"] = s.Hidden, activation
	config["layer_norm_eps"], config["type_vocab_size"] = 1e-12, 2
	return config
}

// Tensors returns the weights.
func (s Shape) Tensors() []Tensor {
	w := writer{shape: s, random: rand.New(rand.NewPCG(s.Seed, 1))}
	w.matrix("embeddings.word_embeddings.weight", len(s.vocabulary()), s.Dim, 1)
	w.matrix("embeddings.position_embeddings.weight", s.Positions, s.Dim, 0.3)
	if s.Type == "bert" {
		w.matrix("embeddings.token_type_embeddings.weight", 2, s.Dim, 0.3)
	}
	w.norm("embeddings.LayerNorm")
	for i := range s.Layers {
		if s.Type == "bert" {
			w.bertLayer(fmt.Sprintf("encoder.layer.%d.", i))
		} else {
			w.distilLayer(fmt.Sprintf("transformer.layer.%d.", i))
		}
	}
	return w.tensors
}

// A writer gathers tensors.
type writer struct {
	shape   Shape
	random  *rand.Rand
	tensors []Tensor
}

func (w *writer) bertLayer(at string) {
	for _, name := range []string{"query", "key", "value"} {
		w.linear(at+"attention.self."+name, w.shape.Dim, w.shape.Dim)
	}
	w.linear(at+"attention.output.dense", w.shape.Dim, w.shape.Dim)
	w.norm(at + "attention.output.LayerNorm")
	w.linear(at+"intermediate.dense", w.shape.Hidden, w.shape.Dim)
	w.linear(at+"output.dense", w.shape.Dim, w.shape.Hidden)
	w.norm(at + "output.LayerNorm")
}

func (w *writer) distilLayer(at string) {
	for _, name := range []string{"q_lin", "k_lin", "v_lin", "out_lin"} {
		w.linear(at+"attention."+name, w.shape.Dim, w.shape.Dim)
	}
	w.norm(at + "sa_layer_norm")
	w.linear(at+"ffn.lin1", w.shape.Hidden, w.shape.Dim)
	w.linear(at+"ffn.lin2", w.shape.Dim, w.shape.Hidden)
	w.norm(at + "output_layer_norm")
}

// linear adds weights whose products have about the size of their inputs.
func (w *writer) linear(name string, out, in int) {
	w.matrix(name+".weight", out, in, float32(1.7/math.Sqrt(float64(in))))
	w.add(name+".bias", w.uniform(out, 0, 0.2), out)
}

func (w *writer) norm(name string) {
	w.add(name+".weight", w.uniform(w.shape.Dim, 1, 0.5), w.shape.Dim)
	w.add(name+".bias", w.uniform(w.shape.Dim, 0, 0.3), w.shape.Dim)
}

func (w *writer) matrix(name string, rows, cols int, spread float32) {
	w.add(name, w.uniform(rows*cols, 0, spread), rows, cols)
}

// uniform returns values from middle-spread to middle+spread.
func (w *writer) uniform(n int, middle, spread float32) []float32 {
	values := make([]float32, n)
	for i := range values {
		values[i] = middle + spread*(2*w.random.Float32()-1)
	}
	return values
}

func (w *writer) add(name string, values []float32, shape ...int) {
	dtype := w.shape.DType
	if dtype == "" {
		dtype = "F32"
	}
	w.tensors = append(w.tensors, Tensor{Name: name, DType: dtype, Shape: shape, Values: values})
}
