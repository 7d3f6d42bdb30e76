package models_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"starling/embed/models"
)

// serveEmbeddings starts a server with the protocol of text-embeddings-inference
// that remembers the texts it was sent.
func serveEmbeddings(t *testing.T, sent *[]string) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /info", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"model_id":"org/model","model_sha":"abc","max_client_batch_size":8}`))
	})
	mux.HandleFunc("POST /embed", func(w http.ResponseWriter, r *http.Request) {
		var request struct{ Inputs []string }
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
			t.Error(err)
		}
		*sent = append(*sent, request.Inputs...)
		vectors := make([][]float32, len(request.Inputs))
		for i := range vectors {
			vectors[i] = []float32{3, 4}
		}
		_ = json.NewEncoder(w).Encode(vectors)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return "tei+" + server.URL
}

func TestAServerEmbedsWithThePrefix(t *testing.T) {
	var sent []string
	url := serveEmbeddings(t, &sent)
	plain, err := models.Open(t.Context(), url, models.Options{})
	if err != nil {
		t.Fatal(err)
	}
	model, err := models.Open(t.Context(), url, models.Options{Prefix: "query: "})
	if err != nil {
		t.Fatal(err)
	}
	sent = nil
	vectors, err := model.Embed(t.Context(), []string{"late trains"})
	if err != nil || !slices.Equal(vectors[0], []float32{0.6, 0.8}) {
		t.Errorf("got %v, %v", vectors, err)
	}
	if !slices.Equal(sent, []string{"query: late trains"}) {
		t.Errorf("the server was sent %q", sent)
	}
	if plain.Info().Fingerprint == model.Info().Fingerprint {
		t.Error("the fingerprint does not tell of the prefix")
	}
}

func TestAServersNumberFormatIsItsOwn(t *testing.T) {
	var sent []string
	_, err := models.Open(t.Context(), serveEmbeddings(t, &sent), models.Options{Dtype: "int8"})
	if err == nil || !strings.Contains(err.Error(), "dtype") {
		t.Errorf("got %v", err)
	}
}
