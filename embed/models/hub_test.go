package models_test

import (
	"errors"
	"slices"
	"testing"

	"starling/embed/hub"
	"starling/embed/models"
	"starling/embed/modeltest"
	"starling/hfhub/hubtest"
)

// serveModel starts a hub with one small encoder and points the environment at
// it and at an empty cache. It returns the folder that the model is made of.
func serveModel(t *testing.T) (server *hubtest.Server, dir string) {
	t.Helper()
	dir = t.TempDir()
	shape := modeltest.Shape{Type: "distilbert", Layers: 1, Heads: 2, Dim: 16, Hidden: 24, Positions: 32, Vocabulary: modeltest.Words(200)}
	if err := shape.Write(dir); err != nil {
		t.Fatal(err)
	}
	server = hubtest.Start(t)
	server.PutFolder(t, "models/org/tiny", dir)
	t.Setenv("HF_ENDPOINT", server.URL)
	t.Setenv("HF_HOME", t.TempDir())
	return server, dir
}

func TestAModelOfTheHubIsDownloadedOnRequestAlone(t *testing.T) {
	server, dir := serveModel(t)
	if _, err := models.Open(t.Context(), "org/tiny", models.Options{}); !errors.Is(err, hub.ErrNotFound) {
		t.Fatalf("without a request: %v", err)
	}
	if requests := server.Requests(); len(requests) > 0 {
		t.Errorf("the hub was asked %v", requests)
	}
	var files []string
	pulled, err := models.Open(t.Context(), "org/tiny", models.Options{Pull: true, Progress: func(file string, _, _ int64) {
		files = append(files, file)
	}})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(files, "model.safetensors") {
		t.Errorf("progress was told of %v", files)
	}
	found, err := models.Open(t.Context(), "org/tiny", models.Options{})
	if err != nil {
		t.Fatal(err)
	}
	folder, err := models.Open(t.Context(), dir, models.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if name := found.Info().Name; name != "org/tiny" {
		t.Errorf("the model is called %q", name)
	}
	if f := found.Info().Fingerprint; f != pulled.Info().Fingerprint || f != folder.Info().Fingerprint {
		t.Error("the fingerprint depends on where the files lie")
	}
	texts := []string{"w5 w6 w7"}
	a, err := found.Embed(t.Context(), texts)
	if err != nil {
		t.Fatal(err)
	}
	b, err := folder.Embed(t.Context(), texts)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(a[0], b[0]) {
		t.Error("the model from the hub gives other vectors than its folder")
	}
}
