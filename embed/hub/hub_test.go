package hub_test

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"starling/embed/hub"
	"starling/hfhub"
	"starling/hfhub/hubtest"
)

const name = "org/model"

// files are a model of sentence-transformers as the hub has them.
var files = map[string]string{
	"README.md":                  "---\n",
	"config.json":                "{}",
	"modules.json":               `[{"path":"","type":"sentence_transformers.models.Transformer"},{"path":"1_Pooling","type":"sentence_transformers.models.Pooling"},{"path":"2_Dense","type":"sentence_transformers.models.Dense"},{"path":"3_Normalize","type":"sentence_transformers.models.Normalize"}]`, //nolint:misspell // its name
	"1_Pooling/config.json":      "{}",
	"2_Dense/config.json":        "{}",
	"2_Dense/model.safetensors":  "dense",
	"2_Dense/pytorch_model.bin":  "pickle",
	"model.safetensors":          "weights",
	"pytorch_model.bin":          "pickle",
	"tf_model.h5":                "h5",
	"onnx/model.onnx":            "onnx",
	"onnx/config.json":           "{}",
	"openvino/model.safetensors": "other",
	"sentence_bert_config.json":  "{}",
	"tokenizer.json":             "{}",
	"tokenizer_config.json":      "{}",
	"vocab.txt":                  "[PAD]\n",
	"data_config.json":           "[]",
	"train_script.py":            "import os",
}

// needed are those of them that are downloaded.
var needed = []string{
	"1_Pooling/config.json", "2_Dense/config.json", "2_Dense/model.safetensors", "config.json", "model.safetensors",
	"modules.json", "sentence_bert_config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt",
}

// environment points the variables of the hub's tools to an empty cache, which
// it returns, and nowhere.
func environment(t *testing.T) (cache string) {
	t.Helper()
	home := t.TempDir()
	for _, name := range []string{"HF_TOKEN", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "XDG_CACHE_HOME"} {
		t.Setenv(name, "")
	}
	t.Setenv("HF_HOME", home)
	t.Setenv("HF_ENDPOINT", "http://127.0.0.1:1")
	return filepath.Join(home, "hub")
}

// serve puts files on a local hub; what is "" in changes is left out.
func serve(t *testing.T, changes map[string]string) *hubtest.Server {
	t.Helper()
	server := hubtest.Start(t)
	t.Setenv("HF_ENDPOINT", server.URL)
	for file, content := range changed(changes) {
		server.Put("models/"+name, file, []byte(content))
	}
	return server
}

func changed(changes map[string]string) map[string]string {
	all := map[string]string{}
	for _, m := range []map[string]string{files, changes} {
		for file, content := range m {
			all[file] = content
			if content == "" {
				delete(all, file)
			}
		}
	}
	return all
}

// lay makes a cache as another tool would, with links or copies, and returns
// the snapshot.
func lay(t *testing.T, cache string, links bool, content map[string]string) string {
	t.Helper()
	commit := strings.Repeat("c0", 20)
	repository := filepath.Join(cache, "models--org--model")
	snapshot := filepath.Join(repository, "snapshots", commit)
	write(t, filepath.Join(repository, "refs", "main"), commit)
	for file, text := range content {
		at := filepath.Join(snapshot, filepath.FromSlash(file))
		if !links {
			write(t, at, text)
			continue
		}
		blob := filepath.Join(repository, "blobs", hubtest.Digest(file, []byte(text)))
		write(t, blob, text)
		target, err := filepath.Rel(filepath.Dir(at), blob)
		if err := errors.Join(err, os.MkdirAll(filepath.Dir(at), 0o700), os.Symlink(target, at)); err != nil {
			t.Fatal(err)
		}
	}
	return snapshot
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(content), 0o600)); err != nil {
		t.Fatal(err)
	}
}

func TestAFolderIsItself(t *testing.T) {
	environment(t)
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.MkdirAll("gte-small", 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{dir, ".", "gte-small", "./gte-small"} {
		if got, err := hub.Find(name, hub.Options{}); got != name || err != nil {
			t.Errorf("%s: got %s, %v", name, got, err)
		}
	}
	write(t, "file", "")
	if _, err := hub.Find("file", hub.Options{}); err == nil || !strings.Contains(err.Error(), "a model is a folder") {
		t.Errorf("got %v", err)
	}
}

func TestShortNamesStandForRepositories(t *testing.T) {
	for short, want := range map[string]string{
		"all-MiniLM-L6-v2":     "sentence-transformers/all-MiniLM-L6-v2",
		"stsb-distilbert-base": "sentence-transformers/stsb-distilbert-base",
		"bge-small-en-v1.5":    "BAAI/bge-small-en-v1.5",
		"gte-small":            "thenlper/gte-small",
		"e5-small-v2":          "intfloat/e5-small-v2",
		"any/model":            "any/model",
	} {
		if got, err := hub.Repository(short); got != want || err != nil {
			t.Errorf("%s: got %s, %v", short, got, err)
		}
	}
	for _, short := range hub.ShortNames() {
		full, err := hub.Repository(short)
		if err != nil || path.Base(full) != short {
			t.Errorf("%s: got %s, %v", short, full, err)
		}
	}
}

func TestNamesThatCannotBeAreRefused(t *testing.T) {
	environment(t)
	for _, name := range []string{"", "no-such-model", "./missing", "/missing/folder", "a/b/c", "../model", "a/..", "a--b/c", `a\b`, "http://x/y"} {
		_, err := hub.Find(name, hub.Options{})
		if err == nil || errors.Is(err, hub.ErrNotFound) || !strings.Contains(err.Error(), "all-MiniLM-L6-v2") {
			t.Errorf("%q: got %v", name, err)
		}
		if _, err := hub.Pull(t.Context(), name, hub.Options{}); err == nil {
			t.Errorf("%q was pulled", name)
		}
	}
}

func TestFindSaysWhereItLookedAndWhatToDo(t *testing.T) {
	cache := environment(t)
	_, err := hub.Find("gte-small", hub.Options{})
	if !errors.Is(err, hub.ErrNotFound) {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{`"gte-small"`, filepath.Join(cache, "models--thenlper--gte-small", "refs", "main"), `"starling model pull gte-small"`, "--pull"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %s", err, want)
		}
	}
}

func TestFindInACacheMadeByOthers(t *testing.T) {
	for _, links := range []bool{true, false} {
		cache := environment(t)
		want := lay(t, cache, links, files)
		for _, revision := range []string{"", "main", filepath.Base(want)} {
			if got, err := hub.Find(name, hub.Options{Revision: revision}); got != want || err != nil {
				t.Errorf("links %v, revision %q: got %s, %v", links, revision, got, err)
			}
		}
		if _, err := hub.Find(name, hub.Options{Revision: "v2"}); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("got %v", err)
		}
		// The cache may be elsewhere.
		t.Setenv("HF_HOME", t.TempDir())
		t.Setenv("HF_HUB_CACHE", cache)
		if got, err := hub.Find(name, hub.Options{}); got != want || err != nil {
			t.Errorf("got %s, %v", got, err)
		}
	}
}

func TestAnIncompleteSnapshotIsNotFound(t *testing.T) {
	index := `{"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}}`
	for lacks, changes := range map[string]map[string]string{
		"config.json":                      {"config.json": ""},
		"modules.json":                     {"modules.json": ""},
		"model.safetensors":                {"model.safetensors": ""},
		"1_Pooling/config.json":            {"1_Pooling/config.json": ""},
		"2_Dense/config.json":              {"2_Dense/config.json": ""},
		"2_Dense/model.safetensors":        {"2_Dense/model.safetensors": ""},
		"tokenizer.json or vocab.txt":      {"tokenizer.json": "", "vocab.txt": ""},
		"model-00002-of-00002.safetensors": {"model.safetensors": "", "model.safetensors.index.json": index, "model-00001-of-00002.safetensors": "x"},
		"0_Transformer/config.json":        {"modules.json": `[{"path":"0_Transformer","type":"sentence_transformers.models.Transformer"}]`},
	} {
		dir := lay(t, environment(t), true, changed(changes))
		_, err := hub.Find(name, hub.Options{})
		if !errors.Is(err, hub.ErrNotFound) || !strings.Contains(err.Error(), dir+" lacks "+lacks) {
			t.Errorf("%s: got %v", lacks, err)
		}
	}
}

func TestALinkWithoutItsBlobIsAGap(t *testing.T) {
	cache := environment(t)
	lay(t, cache, true, files)
	blob := filepath.Join(cache, "models--org--model", "blobs", hubtest.Digest("model.safetensors", []byte("weights")))
	if err := os.Remove(blob); err != nil {
		t.Fatal(err)
	}
	if _, err := hub.Find(name, hub.Options{}); !errors.Is(err, hub.ErrNotFound) || !strings.Contains(err.Error(), "lacks model.safetensors") {
		t.Errorf("got %v", err)
	}
}

// Without modules.json the vectors are pooled in another way, so that it must
// be known that the model has none.
func TestAModelWithoutModulesIsFoundWhenThatIsKnown(t *testing.T) {
	cache := environment(t)
	plain := map[string]string{"modules.json": "", "1_Pooling/config.json": ""}
	want := lay(t, cache, true, changed(plain))
	if _, err := hub.Find(name, hub.Options{}); !errors.Is(err, hub.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	write(t, filepath.Join(cache, "models--org--model", ".no_exist", filepath.Base(want), "modules.json"), "")
	if got, err := hub.Find(name, hub.Options{}); got != want || err != nil {
		t.Errorf("got %s, %v", got, err)
	}
	// A pull leaves that note too.
	environment(t)
	serve(t, plain)
	dir, err := hub.Pull(t.Context(), name, hub.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := hub.Find(name, hub.Options{}); got != dir || err != nil {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestADamagedDescriptionIsAnErrorOfItsOwn(t *testing.T) {
	for content, want := range map[string]string{
		"{}": "modules.json", "[{}]": "no module of type Transformer", `[{"path":5}]`: "module 0", `[{"path":"../x","type":"a.Transformer"}]`: "leads out",
		`[{"path":"","path":"x","type":"a.Transformer"}]`: "modules.json",
	} {
		lay(t, environment(t), true, changed(map[string]string{"modules.json": content}))
		_, err := hub.Find(name, hub.Options{})
		if err == nil || errors.Is(err, hub.ErrNotFound) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", content, err)
		}
	}
	for content, want := range map[string]string{
		"[]": "index.json", "{}": "weight_map", `{"weight_map":{"a":"../../x.safetensors"}}`: "not the name of a shard",
	} {
		lay(t, environment(t), true, changed(map[string]string{"model.safetensors": "", "model.safetensors.index.json": content}))
		_, err := hub.Find(name, hub.Options{})
		if err == nil || errors.Is(err, hub.ErrNotFound) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", content, err)
		}
	}
}

// tree returns the files below dir, with slashes.
func tree(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			path, err = filepath.Rel(dir, path)
			names = append(names, filepath.ToSlash(path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestPullDownloadsWhatTheModelNeedsAndNoMore(t *testing.T) {
	environment(t)
	serve(t, nil)
	reported := map[string]bool{}
	dir, err := hub.Pull(t.Context(), name, hub.Options{Progress: func(file string, done, total int64) {
		reported[file] = reported[file] || done == total
	}})
	if err != nil {
		t.Fatal(err)
	}
	if got := tree(t, dir); !slices.Equal(got, needed) {
		t.Errorf("got %q, want %q", got, needed)
	}
	for _, file := range needed {
		if got, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(file))); string(got) != files[file] || !reported[file] {
			t.Errorf("%s: got %q, %v", file, got, err)
		}
	}
	if got, err := hub.Find(name, hub.Options{}); got != dir || err != nil {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestPullCompletesASnapshotThatOthersBegan(t *testing.T) {
	cache := environment(t)
	server := serve(t, nil)
	dir := lay(t, cache, true, map[string]string{"config.json": files["config.json"]})
	// The other tool's snapshot is of the hub's commit.
	commit := server.Commit("models/" + name)
	if err := os.Rename(dir, filepath.Join(filepath.Dir(dir), commit)); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(cache, "models--org--model", "refs", "main"), commit)
	if _, err := hub.Find(name, hub.Options{}); !errors.Is(err, hub.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	if _, err := hub.Pull(t.Context(), name, hub.Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := hub.Find(name, hub.Options{}); err != nil {
		t.Error(err)
	}
}

func TestPullOfShards(t *testing.T) {
	environment(t)
	serve(t, map[string]string{
		"model.safetensors":                "",
		"model.safetensors.index.json":     `{"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}}`,
		"model-00001-of-00002.safetensors": "one",
		"model-00002-of-00002.safetensors": "two",
	})
	dir, err := hub.Pull(t.Context(), name, hub.Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := tree(t, dir)
	if !slices.Contains(got, "model-00002-of-00002.safetensors") || !slices.Contains(got, "model.safetensors.index.json") {
		t.Errorf("got %q", got)
	}
}

// With whole weights, those in pieces would be downloaded for nothing.
func TestPullTakesWholeWeightsRatherThanShards(t *testing.T) {
	environment(t)
	serve(t, map[string]string{"model.safetensors.index.json": "{}", "model-00001-of-00001.safetensors": "one"})
	dir, err := hub.Pull(t.Context(), name, hub.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := tree(t, dir); !slices.Equal(got, needed) {
		t.Errorf("got %q", got)
	}
}

func TestPullRefusesWhatIsNoModelBeforeItDownloads(t *testing.T) {
	for want, changes := range map[string]map[string]string{
		"its weights pytorch_model.bin are pickled":         {"model.safetensors": ""},
		"its weights 2_Dense/pytorch_model.bin are pickled": {"2_Dense/model.safetensors": ""},
		"no weights":          {"model.safetensors": "", "pytorch_model.bin": "", "2_Dense/pytorch_model.bin": "", "2_Dense/model.safetensors": ""},
		"neither config.json": {"config.json": "", "modules.json": ""},
	} {
		environment(t)
		server := serve(t, changes)
		if _, err := hub.Pull(t.Context(), name, hub.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
		if n := len(server.Requests()); n != 1 {
			t.Errorf("%s: %d requests", want, n)
		}
	}
}

func TestPullOfAnIncompleteRepositoryIsNotFound(t *testing.T) {
	environment(t)
	serve(t, map[string]string{"1_Pooling/config.json": ""})
	if _, err := hub.Pull(t.Context(), name, hub.Options{}); err == nil || !strings.Contains(err.Error(), "lacks 1_Pooling/config.json") {
		t.Errorf("got %v", err)
	}
	if _, err := hub.Find(name, hub.Options{}); !errors.Is(err, hub.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestPullHeedsTheOfflineSwitch(t *testing.T) {
	environment(t)
	server := serve(t, nil)
	t.Setenv("HF_HUB_OFFLINE", "1")
	if _, err := hub.Pull(t.Context(), name, hub.Options{}); !errors.Is(err, hfhub.ErrOffline) {
		t.Errorf("got %v", err)
	}
	if n := len(server.Requests()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

func TestPullSendsTheTokenAndUsesTheClient(t *testing.T) {
	environment(t)
	server := serve(t, nil)
	server.Token = "hf_secret"
	if _, err := hub.Pull(t.Context(), name, hub.Options{}); !errors.Is(err, hfhub.ErrDenied) || !strings.Contains(err.Error(), "HF_TOKEN") {
		t.Errorf("got %v", err)
	}
	t.Setenv("HF_TOKEN", server.Token)
	counter := &counter{base: &http.Transport{DisableKeepAlives: true}}
	if _, err := hub.Pull(t.Context(), name, hub.Options{Client: &http.Client{Transport: counter}}); err != nil || counter.n == 0 {
		t.Errorf("%d requests, %v", counter.n, err)
	}
}

// A counter counts the requests.
type counter struct {
	base http.RoundTripper
	n    int
}

func (c *counter) RoundTrip(r *http.Request) (*http.Response, error) {
	c.n++
	return c.base.RoundTrip(r)
}

func FuzzFind(f *testing.F) {
	for _, seed := range []string{"gte-small", "org/model", "../x", "a/b/c", "a\x00/b", "~", "a--b/c", "C:\\x"} {
		f.Add(seed, "main")
	}
	f.Add("org/model", "../../x")
	f.Fuzz(func(t *testing.T, name, revision string) {
		cache := environment(t)
		dir, err := hub.Find(name, hub.Options{Revision: revision})
		if err == nil && (dir != name || strings.HasPrefix(dir, cache)) {
			t.Errorf("%q at %q: found %s in an empty cache", name, revision, dir)
		}
	})
}
