package jsonfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"starling/embed/internal/jsonfile"
)

func TestMembersAreFoundByTheirExactName(t *testing.T) {
	object, err := jsonfile.Parse([]byte(`{"size": 3, "Size": 4, "none": null, "nested": {"size": [1, {"a": 1}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	size, absent, none := 0, 7, 8
	if err := errors.Join(object.Get("size", &size), object.Get("SIZE", &absent), object.Get("none", &none)); err != nil {
		t.Fatal(err)
	}
	if size != 3 || absent != 7 || none != 8 {
		t.Errorf("size, absent, none = %d, %d, %d", size, absent, none)
	}
}

func TestBadObjectsAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		``:                          "EOF",
		`null x`:                    "more than one",
		`[]`:                        "array",
		`{"a": 1, "a": 2}`:          `"a"`,
		`{"b": [{"a": 1, "a": 2}]}`: `"a"`,
		`{"a": 1, "\u0061": 2}`:     `"a"`,
		`{"a": 1} {"a": 1}`:         "more than one",
		`{"a": 1`:                   "EOF",
		`{"a": [1}`:                 "invalid",
		strings.Repeat("[", 1e6):    "deep",
	} {
		if _, err := jsonfile.Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v does not say %s", text, err, want)
		}
	}
}

func TestMistypedMembersAreNamed(t *testing.T) {
	object, err := jsonfile.Parse([]byte(`{"size": "three", "big": 1e99}`))
	if err != nil {
		t.Fatal(err)
	}
	var n int
	for _, name := range []string{"size", "big"} {
		if err := object.Get(name, &n); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFilesAreNamedAndBounded(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "config.json")
	if _, err := jsonfile.Read(path, 10); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("reading nothing: %v", err)
	}
	if err := os.WriteFile(path, []byte(`{"a": 100}`), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := jsonfile.Read(path, 10); err != nil {
		t.Error(err)
	}
	for what, err := range map[string]error{
		"a file too long": second(jsonfile.Read(path, 9)),
		"a folder":        second(jsonfile.Read(dir, 10)),
		"no list":         second(jsonfile.ReadList(path, 10)),
	} {
		if err == nil || !strings.Contains(err.Error(), dir) {
			t.Errorf("reading %s: %v", what, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"a": [1, {"b": null}], "c": "d"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		object, err := jsonfile.Parse(data)
		if err != nil {
			return
		}
		for name := range object {
			var value any
			if err := object.Get(name, &value); err != nil {
				t.Errorf("%q: %v", name, err)
			}
		}
	})
}
