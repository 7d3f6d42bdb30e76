package transformer

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"starling/embed/transformer/kernel"
)

const oracle = "../../../shared/oracle"

// A golden is what others computed with a model folder.
type golden struct {
	dir     string
	Pooling []string `json:"pooling"`
	Output  string   `json:"pipeline_output"`
	Texts   []struct {
		Text        string    `json:"text"`
		InputIDs    []int32   `json:"input_ids"`
		Embedding   []float32 `json:"embedding"`
		EmbeddingL2 []float32 `json:"embedding_l2"`
		Pooled      []float32 `json:"pooled"`
	} `json:"texts"`
	HiddenStates struct {
		Text int           `json:"text"`
		Data [][][]float32 `json:"data"`
	} `json:"hidden_states"`
	LastRows struct {
		Text int         `json:"text"`
		Rows []int       `json:"rows"`
		Data [][]float32 `json:"data"`
	} `json:"last_hidden_state_rows"`
}

// tolerance is how far values of embeddings may be from the golden ones, 2e-5
// but where they are sums of many tokens.
func (g golden) tolerance() float64 {
	if slices.Contains(g.Pooling, "sqrt") {
		return 4e-5
	}
	return 2e-5
}

// forGoldens runs a test for every golden folder.
func forGoldens(t *testing.T, test func(t *testing.T, g golden)) {
	paths, err := filepath.Glob(filepath.Join(oracle, "*", "golden.json"))
	if err != nil || len(paths) == 0 {
		t.Skipf("no golden model folders in %s", oracle)
	}
	for _, path := range paths {
		g := golden{dir: filepath.Dir(path)}
		t.Run(filepath.Base(g.dir), func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(data, &g); err != nil {
				t.Fatal(err)
			}
			if len(g.Texts) == 0 || len(g.HiddenStates.Data) == 0 || len(g.LastRows.Rows) == 0 {
				t.Fatal("the golden file lacks texts or hidden states")
			}
			test(t, g)
		})
	}
}

// forPaths runs a test for every set of instructions of this CPU.
func forPaths(t *testing.T, test func(t *testing.T, path kernel.Path)) {
	for _, path := range kernel.Paths() {
		t.Run(path.String(), func(t *testing.T) { test(t, path) })
	}
}

func (g golden) texts() []string {
	texts := make([]string, len(g.Texts))
	for i, text := range g.Texts {
		texts[i] = text.Text
	}
	return texts
}

// load loads a folder for a set of instructions.
func load(t testing.TB, dir string, opts Options, path kernel.Path) *Model {
	t.Helper()
	m, err := open(dir, opts, path)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestTokenIDsAreTheGoldenOnes(t *testing.T) {
	forGoldens(t, func(t *testing.T, g golden) {
		m := load(t, g.dir, Options{}, kernel.Generic)
		for _, want := range g.Texts {
			ids := m.Tokenize(want.Text)
			if !slices.EqualFunc(ids, want.InputIDs, func(a int, b int32) bool { return a == int(b) }) {
				t.Errorf("%q has the ids %v, want %v", want.Text, ids, want.InputIDs)
			}
		}
	})
}

// TestEmbeddingsAreTheGoldenOnes looks at the vectors before they are scaled to
// length one, at those that the folder's modules yield, and at what Embed
// returns by default: of each text alone, and of all in one batch.
func TestEmbeddingsAreTheGoldenOnes(t *testing.T) {
	forGoldens(t, func(t *testing.T, g golden) {
		forPaths(t, func(t *testing.T, path kernel.Path) {
			unscaled := load(t, g.dir, Options{DType: "f32", NoNormalize: true}, path)
			unscaled.pipeline.steps = slices.DeleteFunc(unscaled.pipeline.steps, func(s step) bool { return s == unit{} })
			folder := load(t, g.dir, Options{DType: "f32", NoNormalize: true}, path)
			scaled := load(t, g.dir, Options{DType: "f32"}, path)
			for i, want := range g.Texts {
				output, tolerance := want.Embedding, g.tolerance()
				if g.Output == "embedding_l2" {
					output, tolerance = want.EmbeddingL2, 5e-6
				}
				checkAlone(t, unscaled, want.Text, want.Embedding, g.tolerance())
				checkAlone(t, folder, want.Text, output, tolerance)
				checkAlone(t, scaled, g.Texts[i].Text, want.EmbeddingL2, 5e-6)
			}
			for i, row := range embedAll(t, unscaled, g.texts()) {
				compare(t, "embedding in a batch", row, g.Texts[i].Embedding, g.tolerance())
			}
		})
	})
}

func checkAlone(t *testing.T, m *Model, text string, want []float32, tolerance float64) {
	t.Helper()
	compare(t, fmt.Sprintf("embedding of %q", text), embedAll(t, m, []string{text})[0], want, tolerance)
}

func embedAll(t testing.TB, m *Model, texts []string) [][]float32 {
	t.Helper()
	rows, err := m.Embed(t.Context(), texts)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// compare fails where a value is further from what is wanted than tolerance,
// or not a number.
func compare(t *testing.T, what string, got, want []float32, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i := range want {
		if d := math.Abs(float64(got[i]) - float64(want[i])); !(d <= tolerance) {
			t.Fatalf("%s: value %d is %v, want %v, off by %.2g", what, i, got[i], want[i], d)
		}
	}
}

func TestHiddenStatesAreTheGoldenOnes(t *testing.T) {
	const tolerance = 5e-5
	forGoldens(t, func(t *testing.T, g golden) {
		forPaths(t, func(t *testing.T, path kernel.Path) {
			e := load(t, g.dir, Options{DType: "f32"}, path).encoder
			ids := g.Texts[g.HiddenStates.Text].InputIDs
			all := []int{len(ids)}
			team := team{new(scratch)}
			x := team.values(e.config, len(ids))
			if err := e.embed(ids, all, x.states); err != nil {
				t.Fatal(err)
			}
			for l, want := range g.HiddenStates.Data {
				if l > 0 {
					e.layers[l-1].begin(x, team[0])
					e.attend(x, all, 0, 1, team[0])
					e.layers[l-1].finish(e, x, team[0])
				}
				compare(t, fmt.Sprintf("hidden states after layer %d", l), x.states, slices.Concat(want...), tolerance)
			}
			ids = g.Texts[g.LastRows.Text].InputIDs
			states, err := e.encode(ids, []int{len(ids)}, team)
			if err != nil {
				t.Fatal(err)
			}
			for i, r := range g.LastRows.Rows {
				compare(t, fmt.Sprintf("hidden state of token %d", r), states[r*e.dim:(r+1)*e.dim], g.LastRows.Data[i], tolerance)
			}
		})
	})
}

func TestPooledVectorsAreTheGoldenOnes(t *testing.T) {
	checked := 0
	forGoldens(t, func(t *testing.T, g golden) {
		m := load(t, g.dir, Options{DType: "f32", NoNormalize: true}, kernel.Best())
		m.pipeline.steps = nil
		for _, want := range g.Texts {
			if want.Pooled != nil {
				checkAlone(t, m, want.Text, want.Pooled, g.tolerance())
				checked++
			}
		}
	})
	if checked == 0 && !t.Skipped() {
		t.Log("no golden folder has a Dense module")
	}
}

func TestSmallFormatsStayClose(t *testing.T) {
	forGoldens(t, func(t *testing.T, g golden) {
		forPaths(t, func(t *testing.T, path kernel.Path) {
			for dtype, least := range map[string]float64{"bf16": 0.9999, "int8": 0.999} {
				m := load(t, g.dir, Options{DType: dtype}, path)
				worst := 1.0
				for i, row := range embedAll(t, m, g.texts()) {
					worst = min(worst, cosine(row, g.Texts[i].EmbeddingL2))
				}
				if worst < least {
					t.Errorf("%s: the smallest cosine to the golden embedding is %.6f, want %v", dtype, worst, least)
				}
			}
		})
	})
}

func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range a {
		ab += float64(a[i]) * float64(b[i])
		aa += float64(a[i]) * float64(a[i])
		bb += float64(b[i]) * float64(b[i])
	}
	return ab / math.Sqrt(aa*bb)
}
