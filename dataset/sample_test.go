package dataset

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// The sample is what the first run shows and what thresholds are calibrated on.
func TestSampleIsVaried(t *testing.T) {
	items, bad, err := read(t, Options{Name: Sample})
	if err != nil || bad != nil {
		t.Fatal(bad, err)
	}
	if len(items) < 1200 {
		t.Errorf("%d messages, want at least 1200", len(items))
	}
	pairs := make(map[[2]string]int)
	themes := make(map[string]int)
	texts := make(map[string]bool)
	for _, item := range items {
		if !slices.Contains(emotions, item.Label) {
			t.Errorf("%q has the emotion %q", item.Text, item.Label)
		}
		if !utf8.ValidString(item.Text) || len(item.Text) > 1000 {
			t.Errorf("%q is no short text", item.Text)
		}
		words := strings.Join(strings.FieldsFunc(strings.ToLower(item.Text), func(r rune) bool { return r < 'a' || r > 'z' }), " ")
		if texts[words] {
			t.Errorf("%q comes twice", item.Text)
		}
		texts[words] = true
		themes[item.Theme]++
		pairs[[2]string{item.Theme, item.Label}]++
	}
	if len(themes) < 30 {
		t.Errorf("%d themes, want at least 30", len(themes))
	}
	for theme := range themes {
		for _, emotion := range emotions {
			if n := pairs[[2]string{theme, emotion}]; n < 5 {
				t.Errorf("%s has %d messages of %s, want at least 5", theme, n, emotion)
			}
		}
	}
}

func TestSampleCanBeLabelledByTheme(t *testing.T) {
	items, _, err := read(t, Options{Name: Sample, LabelField: "theme", Classes: []string{"train", "cat"}})
	if err != nil || len(items) < 60 {
		t.Fatalf("%d messages, %v", len(items), err)
	}
	for _, item := range items {
		if item.Label != "train" && item.Label != "cat" {
			t.Errorf("%+v is of another theme", item)
		}
	}
}
