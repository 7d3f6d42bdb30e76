package transformer_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"starling/embed"
	"starling/embed/modeltest"
	"starling/embed/transformer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var small = modeltest.Shape{Type: "bert", Layers: 2, Heads: 3, Dim: 36, Hidden: 50, Positions: 64}

// folder writes a model folder and returns its path.
func folder(t testing.TB, shape modeltest.Shape) string {
	t.Helper()
	dir := t.TempDir()
	if err := shape.Write(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

func open(t testing.TB, dir string, opts transformer.Options) *transformer.Model {
	t.Helper()
	model, err := transformer.Open(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	return model
}

func embedAll(t rapid.TB, model *transformer.Model, texts []string) [][]float32 {
	t.Helper()
	rows, err := model.Embed(context.Background(), texts)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// words returns a text with n words of the vocabulary, from word number first on.
func words(n, first int) string {
	var text []string
	for i := range n {
		text = append(text, fmt.Sprintf("w%d", 5+(first+i)%35))
	}
	return strings.Join(text, " ")
}

func TestAVectorDoesNotDependOnItsBatch(t *testing.T) {
	dir := folder(t, small)
	for _, dtype := range []string{"f32", "bf16", "int8"} {
		model := open(t, dir, transformer.Options{DType: dtype})
		rapid.Check(t, func(t *rapid.T) {
			lengths := rapid.SliceOfN(rapid.IntRange(0, 80), 1, 60).Draw(t, "words")
			texts := make([]string, len(lengths))
			for i, n := range lengths {
				texts[i] = words(n, i)
			}
			rows := embedAll(t, model, texts)
			i := rapid.IntRange(0, len(texts)-1).Draw(t, "text")
			if alone := embedAll(t, model, texts[i:i+1])[0]; !slices.Equal(alone, rows[i]) {
				t.Errorf("%s: text %d of %d has another vector alone", dtype, i, len(texts))
			}
		})
	}
}

func TestVectorsHaveLengthOneUnlessAsked(t *testing.T) {
	dir := folder(t, small)
	unit := embedAll(t, open(t, dir, transformer.Options{}), []string{"w7 w8"})[0]
	raw := embedAll(t, open(t, dir, transformer.Options{NoNormalize: true}), []string{"w7 w8"})[0]
	if n := length(unit); math.Abs(n-1) > 1e-6 {
		t.Errorf("the vector has length %v", n)
	}
	if n := length(raw); math.Abs(n-1) < 0.1 {
		t.Errorf("the vector as it comes has length %v", n)
	}
	for i := range raw {
		if math.Abs(float64(raw[i])/length(raw)-float64(unit[i])) > 1e-6 {
			t.Fatalf("value %d is %v of %v and %v of 1", i, raw[i], length(raw), unit[i])
		}
	}
}

func length(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum)
}

func TestCallersMayComeTogether(t *testing.T) {
	model := open(t, folder(t, small), transformer.Options{})
	texts := make([]string, 40)
	for i := range texts {
		texts[i] = words(i, i)
	}
	want := embedAll(t, model, texts)
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			rows, err := model.Embed(t.Context(), texts)
			if err != nil {
				t.Error(err)
				return
			}
			for i := range rows {
				if !slices.Equal(rows[i], want[i]) {
					t.Errorf("text %d has another vector", i)
				}
			}
		})
	}
	callers.Wait()
}

func TestTheCallerOwnsTheRows(t *testing.T) {
	model := open(t, folder(t, small), transformer.Options{})
	rows := embedAll(t, model, []string{"w7", "w8"})
	kept := slices.Clone(rows[1])
	for i := range rows[0] {
		rows[0][i] = 9
	}
	_ = append(rows[0], 9)
	embedAll(t, model, []string{"w9 w10", "w11"})
	if !slices.Equal(rows[1], kept) {
		t.Error("a row changed after it was returned")
	}
}

func TestNoTextsAreNoWork(t *testing.T) {
	if rows := embedAll(t, open(t, folder(t, small), transformer.Options{}), nil); len(rows) != 0 {
		t.Errorf("got %v", rows)
	}
}

func TestEmbeddingStopsWhenCancelled(t *testing.T) {
	model := open(t, folder(t, small), transformer.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := model.Embed(ctx, []string{"w7"}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	embedAll(t, model, []string{"w7"}) // the workers are free again
}

func TestEmbeddingStopsBetweenParts(t *testing.T) {
	model := open(t, folder(t, small), transformer.Options{DType: "f32"})
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := model.Embed(ctx, slices.Repeat([]string{words(60, 0)}, 5000)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	embedAll(t, model, []string{"w7"}) // the workers are free again
}

func TestATextOfAMillionCharactersIsCut(t *testing.T) {
	model := open(t, folder(t, small), transformer.Options{})
	long := strings.Repeat("w7 w8 w9 ", 120_000)
	ids := model.Tokenize(long)
	if len(ids) != small.Positions || ids[0] != 2 || ids[len(ids)-1] != 3 {
		t.Fatalf("%d tokens from %d to %d", len(ids), ids[0], ids[len(ids)-1])
	}
	rows := embedAll(t, model, []string{long, long[:9*small.Positions], strings.Repeat("x", 1e6)})
	if !slices.Equal(rows[0], rows[1]) {
		t.Error("what is cut off changes the vector")
	}
}

func TestWhatIsNotUTF8HasAVector(t *testing.T) {
	embedAll(t, open(t, folder(t, small), transformer.Options{}), []string{"", "\xff\xfe", "\x00", "w7 \xc3"})
}

func TestThePrefixStandsBeforeTheText(t *testing.T) {
	dir := folder(t, small)
	plain, prefixed := open(t, dir, transformer.Options{}), open(t, dir, transformer.Options{Prefix: "w7 "})
	if got, want := prefixed.Tokenize("w8"), plain.Tokenize("w7 w8"); !slices.Equal(got, want) {
		t.Errorf("the ids are %v, want %v", got, want)
	}
	if !slices.Equal(embedAll(t, prefixed, []string{"w8"})[0], embedAll(t, plain, []string{"w7 w8"})[0]) {
		t.Error("the vector is another")
	}
}

func TestTheFoldersDefaultPromptIsThePrefix(t *testing.T) {
	dir := folder(t, small)
	want := open(t, dir, transformer.Options{}).Tokenize("w9 w8")
	writeFile(t, dir, "config_sentence_transformers.json", `{"prompts": {"query": "w9 "}, "default_prompt_name": "query"}`)
	if got := open(t, dir, transformer.Options{}).Tokenize("w8"); !slices.Equal(got, want) {
		t.Errorf("the ids are %v, want %v", got, want)
	}
	if got := open(t, dir, transformer.Options{Prefix: "w7 "}).Tokenize("w8"); got[1] != 7 {
		t.Errorf("the ids with another prefix are %v", got)
	}
}

func writeFile(t testing.TB, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestTheLengthOfATextIsTheFoldersToSay(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string]string
		want  int
	}{
		"nothing but positions": {nil, 64},
		"sentence_bert_config":  {map[string]string{"sentence_bert_config.json": `{"max_seq_length": 20}`}, 20},
		"more than positions":   {map[string]string{"sentence_bert_config.json": `{"max_seq_length": 512}`}, 64},
		"null":                  {map[string]string{"sentence_bert_config.json": `{"max_seq_length": null}`, "tokenizer_config.json": `{"model_max_length": 30}`}, 30},
		"older name":            {map[string]string{"sentence_distilbert_config.json": `{"max_seq_length": 21}`}, 21},
		"no limit":              {map[string]string{"tokenizer_config.json": `{"model_max_length": 1000000000000000019884624838656}`}, 64},
		"sentence_bert_config wins": {map[string]string{
			"sentence_bert_config.json": `{"max_seq_length": 25}`, "tokenizer_config.json": `{"model_max_length": 10}`}, 25},
	} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t, small)
			for file, text := range test.files {
				writeFile(t, dir, file, text)
			}
			if got := len(open(t, dir, transformer.Options{}).Tokenize(words(100, 0))); got != test.want {
				t.Errorf("a long text has %d tokens, want %d", got, test.want)
			}
		})
	}
}

func TestTextsAreLowerCasedWhereTheFolderSaysSo(t *testing.T) {
	dir := folder(t, small)
	writeFile(t, dir, "tokenizer_config.json", `{"do_lower_case": false}`)
	unknown := open(t, dir, transformer.Options{}).Tokenize("W7")
	writeFile(t, dir, "sentence_bert_config.json", `{"max_seq_length": 20, "do_lower_case": true}`)
	known := open(t, dir, transformer.Options{}).Tokenize("W7")
	if unknown[1] == 7 || known[1] != 7 {
		t.Errorf("the ids of W7 are %v, and %v lower-cased", unknown, known)
	}
}

func TestAVectorThatIsNoneIsTheTextsFault(t *testing.T) {
	for name, gamma := range map[string]float32{"zero": 0, "finite": 3e38} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t, small)
			tensors := small.Tensors()
			for _, tensor := range tensors {
				if strings.HasPrefix(tensor.Name, "encoder.layer.1.output.LayerNorm") {
					for i := range tensor.Values {
						tensor.Values[i] = gamma
					}
				}
			}
			if err := modeltest.WriteSafetensors(filepath.Join(dir, "model.safetensors"), tensors); err != nil {
				t.Fatal(err)
			}
			_, err := open(t, dir, transformer.Options{}).Embed(t.Context(), []string{"w7"})
			var bad *embed.TextError
			if !errors.As(err, &bad) || bad.Index != 0 || !strings.Contains(err.Error(), name) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestInfoSaysWhatTheModelIs(t *testing.T) {
	dir := folder(t, small)
	info := open(t, dir, transformer.Options{DType: "int8"}).Info()
	if info.Name != dir || info.Dim != 36 || len(info.Fingerprint) != 64 {
		t.Errorf("got %+v", info)
	}
	for _, part := range []string{"BERT", "2 layers of 36", "mean pooling", "64 tokens", "int8"} {
		if !strings.Contains(info.Description, part) {
			t.Errorf("%q does not say %s", info.Description, part)
		}
	}
	if name := open(t, dir, transformer.Options{Name: "hub/model"}).Info().Name; name != "hub/model" {
		t.Errorf("the name is %q", name)
	}
}

func TestTheFingerprintCoversAllThatVectorsDependOn(t *testing.T) {
	dir := folder(t, small)
	seen := make(map[string]string)
	note := func(what string, opts transformer.Options) {
		fingerprint := open(t, dir, opts).Info().Fingerprint
		if other, twice := seen[fingerprint]; twice {
			t.Errorf("%s has the fingerprint of %s", what, other)
		}
		seen[fingerprint] = what
	}
	f32 := transformer.Options{DType: "f32"}
	note("the model", f32)
	note("bf16", transformer.Options{DType: "bf16"})
	note("int8", transformer.Options{DType: "int8"})
	note("a prefix", transformer.Options{DType: "f32", Prefix: "w7 "})
	note("no scaling", transformer.Options{DType: "f32", NoNormalize: true})
	writeFile(t, dir, "sentence_bert_config.json", `{"max_seq_length": 20}`)
	note("another length", f32)
	writeFile(t, dir, "modules.json", `[{"type": "sentence_transformers.models.Transformer", "path": ""},
		{"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"}]`)
	writeFile(t, dir, "1_Pooling/config.json", `{"word_embedding_dimension": 36, "pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}`)
	note("another pooling", f32)
	writeFile(t, dir, "tokenizer_config.json", `{"do_lower_case": false}`)
	note("another tokenizer", f32)
	other := small
	other.Seed = 1
	if err := modeltest.WriteSafetensors(filepath.Join(dir, "model.safetensors"), other.Tensors()); err != nil {
		t.Fatal(err)
	}
	note("other weights", f32)
	if again := open(t, dir, f32).Info().Fingerprint; seen[again] != "other weights" {
		t.Error("loading the same folder twice gives two fingerprints")
	}
}

func TestTheFolderMayGoOnceTheModelIsLoaded(t *testing.T) {
	dir := folder(t, small)
	model := open(t, dir, transformer.Options{})
	want := embedAll(t, model, []string{"w7 w8"})[0]
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if got := embedAll(t, model, []string{"w7 w8"})[0]; !slices.Equal(got, want) {
		t.Error("the vector is another")
	}
}

func TestTheTransformerMayLieInAFolderOfItsOwn(t *testing.T) {
	flat, nested := folder(t, small), t.TempDir()
	if err := os.Mkdir(filepath.Join(nested, "0_Transformer"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := small.Write(filepath.Join(nested, "0_Transformer")); err != nil {
		t.Fatal(err)
	}
	writeFile(t, nested, "modules.json", `[{"type": "sentence_transformers.models.Transformer", "path": "0_Transformer"},
		{"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"}]`)
	writeFile(t, nested, "1_Pooling/config.json", `{"pooling_mode_mean_tokens": true}`)
	want := embedAll(t, open(t, flat, transformer.Options{}), []string{"w7 w8"})[0]
	if got := embedAll(t, open(t, nested, transformer.Options{}), []string{"w7 w8"})[0]; !slices.Equal(got, want) {
		t.Error("the vector is another")
	}
}

func TestShardedAndPrefixedWeightsAreTheSameModel(t *testing.T) {
	dir := folder(t, small)
	want := embedAll(t, open(t, dir, transformer.Options{}), []string{"w7 w8"})[0]
	tensors := small.Tensors()
	for i := range tensors {
		tensors[i].Name = "bert." + tensors[i].Name
	}
	index := `{"weight_map": {`
	for i, tensor := range tensors {
		index += fmt.Sprintf("%q: %q,", tensor.Name, fmt.Sprintf("model-%d.safetensors", i%2))
	}
	half := [2][]modeltest.Tensor{}
	for i, tensor := range tensors {
		half[i%2] = append(half[i%2], tensor)
	}
	for i := range half {
		if err := modeltest.WriteSafetensors(filepath.Join(dir, fmt.Sprintf("model-%d.safetensors", i)), half[i]); err != nil {
			t.Fatal(err)
		}
	}
	writeFile(t, dir, "model.safetensors.index.json", strings.TrimSuffix(index, ",")+"}}")
	if err := os.Remove(filepath.Join(dir, "model.safetensors")); err != nil {
		t.Fatal(err)
	}
	if got := embedAll(t, open(t, dir, transformer.Options{}), []string{"w7 w8"})[0]; !slices.Equal(got, want) {
		t.Error("the vector is another")
	}
}
