package models_test

import (
	"context"
	"strings"
	"testing"

	"starling/embed/models"
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
		{"starling-hash-51", "", []string{`"starling-hash-51"`, "builtin", "starling-hash-512"}},
		{"./folder", "", []string{`"./folder"`, "not supported"}},
		{"", "", []string{`""`, "known models"}},
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

func TestOpenStopsWhenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := models.Open(ctx, models.Builtin, models.Options{}); err == nil {
		t.Error("a cancelled Open returned a model")
	}
}
