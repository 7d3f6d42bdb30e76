package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// stuckModel sets a variable to the URL of an embedding server that answers
// everything but texts with "stuck-text" in them, until the file loose is there. Once it
// was asked for one the file asked is there.
func stuckModel(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "stuckmodel VARIABLE")
	loose, ended := ts.MkAbs("loose"), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked struct{ Input []string }
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if _, err := os.Stat(loose); err != nil && strings.Contains(strings.Join(asked.Input, "\n"), "stuck-text") {
			ts.Check(os.WriteFile(ts.MkAbs("asked"), nil, 0o600))
			select {
			case <-ended:
			case <-r.Context().Done():
			}
			return
		}
		type embedding struct {
			Index     int       `json:"index"`
			Embedding []float32 `json:"embedding"`
		}
		answer := struct {
			Model string      `json:"model"`
			Data  []embedding `json:"data"`
		}{Model: "m"}
		for i, text := range asked.Input {
			vector := make([]float32, 8)
			vector[len(text)%8] = 1
			answer.Data = append(answer.Data, embedding{i, vector})
		}
		ts.Check(json.NewEncoder(w).Encode(answer))
	}))
	ts.Defer(func() {
		close(ended)
		server.CloseClientConnections()
		server.Close()
	})
	ts.Setenv(args[0], "openai+"+server.URL+"/v1?model=m")
}
