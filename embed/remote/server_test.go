package remote

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"starling/backoff"
)

const testKey = "sk-abcdefghijklmnopqrstuvwxyz"

// A server stands in for both kinds of servers. What it gives depends on the
// text alone.
type server struct {
	*httptest.Server
	// info is the answer of /info.
	info string
	// model is what openai answers are said to be from.
	model string

	mu       sync.Mutex
	refusal  func(texts []string) (status int, answer string)
	instead  func(text string) string
	batches  [][]string
	keys     []string
	now      int
	most     int
	delay    time.Duration
	backward bool
}

const teiAnswer = `{"model_id":"BAAI/bge-small-en-v1.5","model_sha":"5c38ec7c405ec4b44b94cc5a9bb96e735b38267a","model_dtype":"float16",
"model_type":{"embedding":{"pooling":"cls"}},"max_concurrent_requests":512,"max_input_length":512,"max_batch_tokens":16384,
"max_batch_requests":null,"max_client_batch_size":8,"auto_truncate":false,"tokenization_workers":4,"version":"1.8.2","sha":null,"docker_label":null}`

func start(t *testing.T) *server {
	t.Helper()
	t.Setenv(KeyVariable, "")
	t.Setenv(OpenAIKeyVariable, "")
	s := &server{info: teiAnswer, model: "small"}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/embeddings", s.openAI)
	mux.HandleFunc("POST /embed", s.embed)
	mux.HandleFunc("GET /info", func(w http.ResponseWriter, r *http.Request) {
		s.note(r, nil)
		_, _ = io.WriteString(w, s.info)
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// openai and tei are the server's names as a model.
func (s *server) openai() string { return "openai+" + s.URL + "/v1?model=small" }
func (s *server) tei() string    { return "tei+" + s.URL }

// open opens the model and closes it when the test ends.
func open(t *testing.T, name string, o Options) *Model {
	t.Helper()
	m, err := Open(t.Context(), name, quick(o))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

// quick does not wait long between tries.
func quick(o Options) Options {
	o.Retry = backoff.Policy{Tries: 3, First: time.Millisecond, Most: time.Millisecond}
	return o
}

// refuse sets what says why texts are refused, with a status and an answer; 0
// takes them.
func (s *server) refuse(why func(texts []string) (status int, answer string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusal = why
}

// give sets what is given instead of the vector of a text, if not "".
func (s *server) give(instead func(text string) string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.instead = instead
}

func (s *server) hooks() (refusal func([]string) (int, string), instead func(string) string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refusal, s.instead
}

func (s *server) note(r *http.Request, texts []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = append(s.keys, r.Header.Get("Authorization"))
	if texts != nil {
		s.batches = append(s.batches, texts)
	}
}

// asked returns the batches so far and forgets them.
func (s *server) asked() [][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	batches := s.batches
	s.batches = nil
	return batches
}

func (s *server) busy(by int) {
	s.mu.Lock()
	s.now += by
	s.most = max(s.most, s.now)
	s.mu.Unlock()
	if by > 0 {
		time.Sleep(s.delay)
	}
}

func (s *server) openAI(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Model  string   `json:"model"`
		Input  []string `json:"input"`
		Format string   `json:"encoding_format"`
	}
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&request); err != nil || request.Model != "small" || request.Format != "float" {
		http.Error(w, fmt.Sprintf(`{"error":{"message":"unexpected request %+v %v"}}`, request, err), http.StatusNotFound)
		return
	}
	s.serve(w, r, request.Input, func(vectors []string) string {
		for i, v := range vectors {
			vectors[i] = fmt.Sprintf(`{"object":"embedding","index":%d,"embedding":%s}`, i, v)
		}
		if s.backward {
			slices.Reverse(vectors)
		}
		return fmt.Sprintf(`{"object":"list","data":[%s],"model":%q,"usage":{"prompt_tokens":5,"total_tokens":5}}`, strings.Join(vectors, ","), s.model)
	})
}

func (s *server) embed(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Inputs    []string `json:"inputs"`
		Truncate  bool     `json:"truncate"`
		Normalise bool     `json:"normalize"` //nolint:misspell // its name
	}
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil || !request.Truncate || len(request.Inputs) > 8 {
		http.Error(w, fmt.Sprintf(`{"error":"batch size %d > maximum allowed batch size 8","error_type":"Validation"}`, len(request.Inputs)), http.StatusRequestEntityTooLarge)
		return
	}
	s.serve(w, r, request.Inputs, func(vectors []string) string { return "[" + strings.Join(vectors, ",") + "]" })
}

func (s *server) serve(w http.ResponseWriter, r *http.Request, texts []string, wrap func([]string) string) {
	s.note(r, texts)
	s.busy(1)
	defer s.busy(-1)
	refusal, instead := s.hooks()
	if refusal != nil {
		if status, answer := refusal(texts); status != 0 {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, answer)
			return
		}
	}
	var vectors []string
	for _, text := range texts {
		vectors = append(vectors, vectorOf(text, instead))
	}
	_, _ = io.WriteString(w, wrap(vectors))
}

// vectorOf is the length of the text, 1 and 2, at some length.
func vectorOf(text string, instead func(string) string) string {
	if instead != nil {
		if vector := instead(text); vector != "" {
			return vector
		}
	}
	return fmt.Sprintf("[%d, 1.0, 2e0]", len(text))
}

// wantRow says what the row of a text should be.
func wantRow(t *testing.T, row []float32, text string) {
	t.Helper()
	want, err := values{float32(len(text)), 1, 2}.unit()
	if err != nil || !slices.Equal(row, want) {
		t.Errorf("%q: got %v, want %v", text, row, want)
	}
}
