package transformer

// fixedEpsilon is the epsilon of DistilBERT, whose config.json names none, and
// of BERT where it does not.
const fixedEpsilon = 1e-12

// A family is an architecture as its files name its parts. All families are
// the encoder of Devlin et al., "BERT" (2019), section 3: they differ in names
// and in whether there are token types.
type family struct {
	title string
	// prefix may stand before the names of all tensors.
	prefix string
	types  bool
	fields fields
	// layer is the name of a layer's tensors up to its number.
	layer string
	names names
}

// fields are the members of config.json.
type fields struct {
	layers, heads, dim, hidden, activation string
	epsilon                                string // "" where it is fixed
}

// names are those of a layer's parts, each with a .weight and a .bias.
type names struct {
	query, key, value, attention, attentionNorm, up, down, outputNorm string
}

// families are the architectures by their model_type.
var families = map[string]*family{
	"bert": {
		title:  "BERT",
		prefix: "bert.",
		types:  true,
		fields: fields{
			layers: "num_hidden_layers", heads: "num_attention_heads", dim: "hidden_size",
			hidden: "intermediate_size", activation: "hidden_act", epsilon: "layer_norm_eps",
		},
		layer: "encoder.layer.",
		names: names{
			query: "attention.self.query", key: "attention.self.key", value: "attention.self.value",
			attention: "attention.output.dense", attentionNorm: "attention.output.LayerNorm",
			up: "intermediate.dense", down: "output.dense", outputNorm: "output.LayerNorm",
		},
	},
	"distilbert": {
		title:  "DistilBERT",
		prefix: "distilbert.",
		fields: fields{layers: "n_layers", heads: "n_heads", dim: "dim", hidden: "hidden_dim", activation: "activation"},
		layer:  "transformer.layer.",
		names: names{
			query: "attention.q_lin", key: "attention.k_lin", value: "attention.v_lin",
			attention: "attention.out_lin", attentionNorm: "sa_layer_norm",
			up: "ffn.lin1", down: "ffn.lin2", outputNorm: "output_layer_norm",
		},
	},
}
