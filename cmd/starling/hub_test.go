package main

import (
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"starling/embed/modeltest"
	"starling/hfhub/hubtest"
)

// The scripts in testdata/hub have a hub of their own, with one small encoder
// called org/tiny.
func TestHubScripts(t *testing.T) {
	server := hubtest.Start(t)
	dir := t.TempDir()
	shape := modeltest.Shape{Type: "bert", Layers: 1, Heads: 2, Dim: 16, Hidden: 24, Positions: 64, Vocabulary: modeltest.Words(300)}
	if err := shape.Write(dir); err != nil {
		t.Fatal(err)
	}
	server.PutFolder(t, "models/org/tiny", dir)
	params := scriptParams("testdata/hub")
	setup := params.Setup
	params.Setup = func(env *testscript.Env) error {
		env.Setenv("HF_ENDPOINT", server.URL)
		env.Setenv("HF_HOME", filepath.Join(env.WorkDir, "hf"))
		return setup(env)
	}
	testscript.Run(t, params)
}
