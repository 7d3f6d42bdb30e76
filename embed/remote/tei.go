package remote

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// maxInfo bounds the answer of /info, in bytes.
const maxInfo = 1 << 20

// textEmbeddings is the protocol of text-embeddings-inference
// (https://huggingface.github.io/text-embeddings-inference).
type textEmbeddings struct{}

func (textEmbeddings) path() string { return "/embed" }

func (textEmbeddings) request(texts []string) any {
	return map[string]any{"inputs": texts, "truncate": true, "normalize": true} //nolint:misspell // its name
}

func (textEmbeddings) parse(answer []byte, n int) (reply, error) {
	var vectors []values
	if err := json.Unmarshal(answer, &vectors); err != nil {
		return reply{}, err
	}
	if len(vectors) != n {
		return reply{}, fmt.Errorf("it gives %d vectors for %d texts", len(vectors), n)
	}
	if i := slices.IndexFunc(vectors, func(v values) bool { return v == nil }); i >= 0 {
		return reply{}, fmt.Errorf("it gives no vector for text %d of %d", i, n)
	}
	return reply{vectors: vectors}, nil
}

// teiInfo is the part of /info that bears on the vectors and the requests.
type teiInfo struct {
	Model     string `json:"model_id"`
	Revision  string `json:"model_sha"`
	Dtype     string `json:"model_dtype"`
	MaxTokens int    `json:"max_input_length"`
	MaxTexts  int    `json:"max_client_batch_size"`
	// Type has one key: embedding, classifier or reranker.
	Type map[string]struct {
		Pooling string `json:"pooling"`
	} `json:"model_type"`
}

// learnTEI asks what the server serves and how many texts it takes at once. It
// returns all that the vectors depend on.
func (m *Model) learnTEI(ctx context.Context) (version string, err error) {
	answer, err := m.client.call(ctx, m.options.Retry, "/info", nil, maxInfo)
	if err != nil {
		return "", err
	}
	var info teiInfo
	if err := json.Unmarshal(answer, &info); err != nil || info.Model == "" {
		return "", fmt.Errorf("asking %s/info: the answer is not that of text-embeddings-inference; an OpenAI-compatible server is openai+http://HOST:PORT/v1?model=NAME", m.address.base)
	}
	embedding, ok := info.Type["embedding"]
	if !ok && info.Type != nil {
		return "", fmt.Errorf("the server has %s, which gives no embeddings: it is a %s", info.Model, strings.Join(slices.Sorted(maps.Keys(info.Type)), ", "))
	}
	if info.MaxTexts > 0 {
		m.maxTexts.Store(int64(min(m.options.MaxTexts, info.MaxTexts)))
	}
	m.protocol = textEmbeddings{}
	return fmt.Sprintf("%s (revision %q, %s, %s pooling, %d tokens)", info.Model, info.Revision, info.Dtype, embedding.Pooling, info.MaxTokens), nil
}
