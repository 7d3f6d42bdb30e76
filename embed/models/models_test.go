package models_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"starling/embed/models"
	"starling/embed/modeltest"
	"starling/vec"
)

func TestEveryListedModelOpensByItsName(t *testing.T) {
	for _, info := range models.List() {
		model, err := models.Open(t.Context(), info.Name, models.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if model.Info() != info {
			t.Errorf("%s is listed as %+v and opens as %+v", info.Name, info, model.Info())
		}
	}
}

func TestBuiltinIsATokenizer(t *testing.T) {
	model, err := models.Open(t.Context(), models.Builtin, models.Options{Dtype: "f32"})
	if err != nil {
		t.Fatal(err)
	}
	tokenizer, ok := model.(models.Tokenizer)
	if !ok {
		t.Fatalf("%T shows no tokens", model)
	}
	if ids := tokenizer.Tokenize("late trains again"); len(ids) != 3 {
		t.Errorf("three words have the ids %v", ids)
	}
}

func TestErrorsNameTheModel(t *testing.T) {
	for _, test := range []struct {
		name, dtype string
		want        []string
	}{
		{"starling-hash-51", "", []string{`"starling-hash-51"`, "short names", "builtin"}},
		{"./folder", "", []string{"folder", "config.json"}},
		{"sentence-transformers/folder", "", []string{`"sentence-transformers/folder"`, "no folder", "builtin"}},
		{"", "", []string{`""`, "builtin"}},
		{"builtin", "int8", []string{`"builtin"`, `"int8"`, "f32"}},
	} {
		_, err := models.Open(t.Context(), test.name, models.Options{Dtype: test.dtype})
		if err == nil {
			t.Errorf("%q with dtype %q opened", test.name, test.dtype)
			continue
		}
		for _, part := range test.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q: %v does not say %s", test.name, err, part)
			}
		}
	}
}

func TestTheBuiltinTakesNoPrefix(t *testing.T) {
	_, err := models.Open(t.Context(), models.Builtin, models.Options{Prefix: "query: "})
	if err == nil || !strings.Contains(err.Error(), "prefix") {
		t.Errorf("got %v", err)
	}
}

func TestAFolderIsAModel(t *testing.T) {
	dir := t.TempDir()
	if err := (modeltest.Shape{Type: "bert", Layers: 1, Heads: 2, Dim: 8, Hidden: 12, Positions: 16}).Write(dir); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	for _, name := range []string{dir, "."} {
		model, err := models.Open(t.Context(), name, models.Options{Dtype: "f32", NoNormalize: true, Prefix: "w7 "})
		if err != nil {
			t.Fatal(err)
		}
		if model.Info().Name != dir || model.Dim() != 8 {
			t.Errorf("%s opens as %+v", name, model.Info())
		}
		if ids := model.(models.Tokenizer).Tokenize("w8"); !slices.Equal(ids, []int{2, 7, 8, 3}) {
			t.Errorf("the ids are %v", ids)
		}
		rows, err := model.Embed(t.Context(), []string{"w8"})
		if err != nil {
			t.Fatal(err)
		}
		if n := vec.Dot(rows[0], rows[0]); n > 0.99 && n < 1.01 {
			t.Errorf("the vector has length one, although it was not to be scaled")
		}
	}
}

func TestOpenStopsWhenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := models.Open(ctx, models.Builtin, models.Options{}); err == nil {
		t.Error("a cancelled Open returned a model")
	}
}
