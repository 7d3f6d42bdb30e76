package remote

import (
	"encoding/json"
	"fmt"
)

// A reply is what a server gave for some texts.
type reply struct {
	// vectors are in the order of the texts.
	vectors []values
	// model is the name that the server gives it, if it does.
	model string
}

// A protocol is how a kind of server is asked for vectors.
type protocol interface {
	path() string
	request(texts []string) any
	// parse reads the answer for n texts.
	parse(answer []byte, n int) (reply, error)
}

// openAI is the protocol of /v1/embeddings
// (https://platform.openai.com/docs/api-reference/embeddings).
type openAI struct{ model string }

func (openAI) path() string { return "/embeddings" }

func (p openAI) request(texts []string) any {
	return map[string]any{"model": p.model, "input": texts, "encoding_format": "float"}
}

func (openAI) parse(answer []byte, n int) (reply, error) {
	var parsed struct {
		Model string `json:"model"`
		Data  []struct {
			// Index is the text's place; a server may leave it out.
			Index  *int   `json:"index"`
			Vector values `json:"embedding"`
		} `json:"data"`
	}
	if err := json.Unmarshal(answer, &parsed); err != nil {
		return reply{}, err
	}
	if len(parsed.Data) != n {
		return reply{}, fmt.Errorf("it gives %d vectors for %d texts", len(parsed.Data), n)
	}
	r := reply{vectors: make([]values, n), model: parsed.Model}
	for i, d := range parsed.Data {
		if d.Index != nil {
			i = *d.Index
		}
		if i < 0 || i >= n || r.vectors[i] != nil || d.Vector == nil {
			return reply{}, fmt.Errorf("it gives no, or more than one, vector with the index %d of %d", i, n)
		}
		r.vectors[i] = d.Vector
	}
	return r, nil
}
