package transformer

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"starling/embed/internal/jsonfile"
	"starling/embed/modeltest"
	"starling/embed/transformer/kernel"
)

// shapes has a model of each family.
var shapes = map[string]modeltest.Shape{
	"bert":       {Type: "bert", Layers: 2, Heads: 3, Dim: 36, Hidden: 50, Positions: 64},
	"distilbert": {Type: "distilbert", Layers: 2, Heads: 3, Dim: 36, Hidden: 50, Positions: 64},
}

func parse(t *testing.T, members map[string]any) (config, error) {
	t.Helper()
	text, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	object, err := jsonfile.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return parseConfig(object)
}

func TestBothFamiliesSayTheSame(t *testing.T) {
	for name, shape := range shapes {
		c, err := parse(t, shape.Config())
		if err != nil {
			t.Fatal(err)
		}
		want := config{family: families[name], layers: 2, heads: 3, dim: 36, hidden: 50, vocab: 40, positions: 64,
			activation: kernel.GELU, epsilon: 1e-12}
		if name == "bert" {
			want.types = 2
		}
		if c != want {
			t.Errorf("%s: got %+v, want %+v", name, c, want)
		}
	}
}

func TestWhatAFamilyDoesNotNameIsFixed(t *testing.T) {
	members := shapes["distilbert"].Config()
	members["layer_norm_eps"] = 0.5
	members["type_vocab_size"] = 9
	c, err := parse(t, members)
	if err != nil || c.epsilon != 1e-12 || c.types != 0 {
		t.Errorf("got %+v, %v", c, err)
	}
	members = shapes["bert"].Config()
	members["layer_norm_eps"] = 1e-5
	members["type_vocab_size"] = 1
	members["hidden_act"] = "relu"
	c, err = parse(t, members)
	if err != nil || c.epsilon != 1e-5 || c.types != 1 || c.activation != kernel.ReLU {
		t.Errorf("got %+v, %v", c, err)
	}
}

func TestBadConfigsAreRefused(t *testing.T) {
	for _, test := range []struct {
		field string
		value any
		want  string
	}{
		{"model_type", "roberta", `"roberta"`},
		{"model_type", nil, "model_type"},
		{"model_type", 3, "model_type"},
		{"hidden_act", "swish", `"swish"`},
		{"hidden_act", []int{1}, "hidden_act"},
		{"layer_norm_eps", 0, "layer_norm_eps"},
		{"layer_norm_eps", -1e-5, "layer_norm_eps"},
		{"layer_norm_eps", 2, "layer_norm_eps"},
		{"layer_norm_eps", "small", "layer_norm_eps"},
		{"num_hidden_layers", 0, "num_hidden_layers is 0"},
		{"num_hidden_layers", 1 << 40, "num_hidden_layers"},
		{"num_hidden_layers", 1.5, "num_hidden_layers"},
		{"num_attention_heads", -3, "num_attention_heads"},
		{"num_attention_heads", 5, "num_attention_heads, 5"},
		{"hidden_size", 1 << 20, "hidden_size"},
		{"hidden_size", "wide", "hidden_size"},
		{"hidden_size", nil, "hidden_size"},
		{"intermediate_size", 0, "intermediate_size"},
		{"vocab_size", 1 << 30, "vocab_size"},
		{"max_position_embeddings", 1, "max_position_embeddings"},
		{"type_vocab_size", 0, "type_vocab_size"},
		{"is_decoder", true, "is_decoder"},
		{"position_embedding_type", "relative_key", "relative_key"},
	} {
		members := maps.Clone(shapes["bert"].Config())
		members[test.field] = test.value
		if _, err := parse(t, members); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s %v: %v does not say %s", test.field, test.value, err, test.want)
		}
		delete(members, test.field)
		_, err := parse(t, members)
		if required := strings.HasPrefix(test.field, "num_") || strings.HasSuffix(test.field, "_size") && test.field != "type_vocab_size"; required &&
			(err == nil || !strings.Contains(err.Error(), test.field+" is missing")) {
			t.Errorf("without %s: %v", test.field, err)
		}
	}
}

// FuzzConfig checks that no config.json gets through whose sizes are out of
// bounds.
func FuzzConfig(f *testing.F) {
	for _, shape := range shapes {
		text, err := json.Marshal(shape.Config())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		object, err := jsonfile.Parse(text)
		if err != nil {
			return
		}
		c, err := parseConfig(object)
		if err != nil {
			return
		}
		if c.layers < 1 || c.heads < 1 || c.dim < c.heads || c.dim%c.heads != 0 || c.hidden < 1 || c.vocab < 1 || c.positions < 2 {
			t.Errorf("too small: %+v", c)
		}
		if c.layers > 1e3 || c.dim > 1e5 || c.hidden > 1e5 || c.vocab > 1e7 || c.positions > 1e5 || c.types > 1e4 {
			t.Errorf("too large: %+v", c)
		}
		if !(c.epsilon > 0 && c.epsilon < 1) {
			t.Errorf("epsilon is %v", c.epsilon)
		}
	})
}
