package hfhub

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// environment clears the variables that the hub's tools use and sets some.
func environment(t *testing.T, set map[string]string) {
	t.Helper()
	for _, name := range []string{"HF_ENDPOINT", "HF_TOKEN", "HF_HOME", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "XDG_CACHE_HOME"} {
		t.Setenv(name, set[name])
	}
}

func TestSettingsComeFromTheEnvironment(t *testing.T) {
	user := t.TempDir()
	t.Setenv("HOME", user)
	t.Setenv("USERPROFILE", user)
	hub := func(parts ...string) string { return filepath.Join(append([]string{user}, parts...)...) }
	for _, c := range []struct {
		set  map[string]string
		want Hub
	}{
		{nil, Hub{Endpoint: DefaultEndpoint, Cache: hub(".cache", "huggingface", "hub")}},
		{map[string]string{"XDG_CACHE_HOME": hub("xdg")}, Hub{Endpoint: DefaultEndpoint, Cache: hub("xdg", "huggingface", "hub")}},
		{map[string]string{"HF_HOME": "~/hf"}, Hub{Endpoint: DefaultEndpoint, Cache: hub("hf", "hub")}},
		{map[string]string{"HF_HOME": "$HOME/hf"}, Hub{Endpoint: DefaultEndpoint, Cache: hub("hf", "hub")}},
		{map[string]string{"HF_HOME": "~"}, Hub{Endpoint: DefaultEndpoint, Cache: hub("hub")}},
		{map[string]string{"HF_HOME": "~/hf", "HF_HUB_CACHE": hub("c")}, Hub{Endpoint: DefaultEndpoint, Cache: hub("c")}},
		{map[string]string{"HF_ENDPOINT": "http://mirror:8080/hf/"}, Hub{Endpoint: "http://mirror:8080/hf", Cache: hub(".cache", "huggingface", "hub")}},
		{map[string]string{"HF_HUB_OFFLINE": "YES", "HF_TOKEN": " " + secret + "\n"}, Hub{Endpoint: DefaultEndpoint, Cache: hub(".cache", "huggingface", "hub"), Offline: true, Token: secret}},
		{map[string]string{"HF_HUB_OFFLINE": "0"}, Hub{Endpoint: DefaultEndpoint, Cache: hub(".cache", "huggingface", "hub")}},
	} {
		environment(t, c.set)
		h, err := FromEnvironment()
		if err != nil || *h != c.want {
			t.Errorf("%v: got %+v, %v, want %+v", c.set, h, err, c.want)
		}
	}
}

func TestTheTokenMayBeInAFile(t *testing.T) {
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, "token"), []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	environment(t, map[string]string{"HF_HOME": home})
	if h, err := FromEnvironment(); err != nil || h.Token != secret {
		t.Errorf("got %v", err)
	}
	environment(t, map[string]string{"HF_HOME": home, "HF_TOKEN": "hf_other"})
	if h, err := FromEnvironment(); err != nil || h.Token != "hf_other" {
		t.Errorf("got %v", err)
	}
}

func TestBadSettingsAreRefusedWithoutShowingThem(t *testing.T) {
	for _, set := range []map[string]string{
		{"HF_ENDPOINT": "huggingface.co"}, {"HF_ENDPOINT": "ftp://huggingface.co"}, {"HF_ENDPOINT": "http://"},
		{"HF_ENDPOINT": "https://user:" + secret + "@mirror"}, {"HF_ENDPOINT": "https://mirror?token=" + secret},
		{"HF_TOKEN": secret + "\r\nX-Other: 1"}, {"HF_TOKEN": strings.Repeat("x", maxToken+1)},
	} {
		set["HF_HOME"] = t.TempDir()
		environment(t, set)
		if _, err := FromEnvironment(); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%v: got %v", set, err)
		}
	}
}

func TestATokenDoesNotPrint(t *testing.T) {
	h := Hub{Token: secret}
	encoded, err := json.Marshal(h.Token)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{fmt.Sprint(h), fmt.Sprintf("%v %+v %#v %s %q", h, &h, h, h.Token, h.Token), string(encoded)} {
		if strings.Contains(s, secret) {
			t.Error(s)
		}
	}
}

// layout makes a cache with some files, by hand.
func layout(t *testing.T, files map[string]string) *Hub {
	t.Helper()
	h := &Hub{Endpoint: DefaultEndpoint, Cache: t.TempDir()}
	for name, content := range files {
		path := filepath.Join(h.Cache, "models--org--name", filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(content), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

func TestSnapshotsOfACacheMadeByOthers(t *testing.T) {
	commit := strings.Repeat("0a", 20)
	h := layout(t, map[string]string{
		"refs/main": commit, "refs/v1.0": "abc\n", "refs/pr/3": commit, "refs/gone": strings.Repeat("b", 40),
		"refs/bad": "../../../etc", "refs/empty": "", "refs/long": strings.Repeat("c", 1000),
		"snapshots/" + commit + "/config.json": "{}", "snapshots/abc/config.json": "{}",
	})
	for revision, want := range map[string]string{
		"": commit, "main": commit, "v1.0": "abc", "pr/3": commit, commit: commit,
		"gone": "", "bad": "", "empty": "", "long": "", "other": "", strings.Repeat("d", 40): "",
	} {
		dir, err := h.Snapshot(model, revision)
		if want != "" && (err != nil || filepath.Base(dir) != want) || want == "" && !errors.Is(err, ErrNotCached) {
			t.Errorf("%q: got %s, %v, want %q", revision, dir, err, want)
		}
	}
	for _, revision := range []string{"../refs/main", "/main", "a//b", ".", "..", "a/../main", `a\b`, "a\x00", strings.Repeat("e", 201)} {
		if dir, err := h.Snapshot(model, revision); err == nil || errors.Is(err, ErrNotCached) {
			t.Errorf("%q: got %s, %v", revision, dir, err)
		}
	}
}

func TestNamesOfRepositories(t *testing.T) {
	for _, name := range []string{"sentence-transformers/stsb-distilbert-base", "BAAI/bge-small-en-v1.5", "a/b", "_x/y_z"} {
		if err := (Repository{Models, name}).Check(); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"", "a", "a/b/c", "/a", "a/", "../b", "a/..", "a--b/c", "a/b..c", ".a/b", "-a/b", "a b/c", "ä/b", "a/" + strings.Repeat("x", 97)} {
		if err := (Repository{Models, name}).Check(); err == nil {
			t.Errorf("%q is a name", name)
		}
	}
}

// The ids are what "git hash-object" prints, the other digests what sha256sum
// prints.
func TestDigestsAreThoseOfGitAndSHA256(t *testing.T) {
	for content, digests := range map[string][]string{
		"":        {"e69de29bb2d1d6434b8b29ae775ad8c2e48c5391", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		"hello\n": {"ce013625030ba8dba906f756967f9e9ca394464a", "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"},
	} {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, digest := range digests {
			if size, err := verify(path, digest); err != nil || size != int64(len(content)) {
				t.Errorf("%q: %d, %v", content, size, err)
			}
			other := "0" + digest[1:]
			if _, err := verify(path, other); !errors.Is(err, errDamaged) {
				t.Errorf("%q: got %v", content, err)
			}
		}
	}
}

func TestETagsThatAreDigests(t *testing.T) {
	id, sum := strings.Repeat("0a", 20), strings.Repeat("0b", 32)
	for etag, want := range map[string]string{
		`"` + id + `"`: id, `W/"` + id + `"`: id, id: id, strings.ToUpper(sum): sum, `"` + sum + `"`: sum,
		"": "", `"5f-6021"`: "", `"` + id + `-2"`: "", strings.Repeat("z", 40): "", "../" + id[3:]: "",
	} {
		if got := digestOf(etag); got != want {
			t.Errorf("%s: got %q", etag, got)
		}
	}
}

func TestAcceptedFileNamesStayInTheFolder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a./\\:A~ \x00-]{0,12}`).Draw(t, "name")
		if checkFile(name) != nil {
			return
		}
		dir := filepath.FromSlash("/cache/snapshots/x")
		path := filepath.Join(dir, filepath.FromSlash(name))
		if rel, err := filepath.Rel(dir, path); err != nil || filepath.ToSlash(rel) != name || rel == ".." || strings.HasPrefix(rel, "../") {
			t.Fatalf("%q leads to %s, %v", name, path, err)
		}
	})
}

func TestRangeStart(t *testing.T) {
	for value, want := range map[string]int64{
		"bytes 7-9/10": 7, "bytes 0-0/*": 0, "bytes */10": -1, "": -1, "7-9/10": -1, "bytes -9/10": -1, "bytes x-9/10": -1, "bytes 7": -1,
	} {
		if got := rangeStart(value); got != want {
			t.Errorf("%q: got %d", value, got)
		}
	}
}
