package console

import (
	"strings"
	"testing"
	"unicode"

	"github.com/rivo/uniseg"
	"pgregory.net/rapid"
)

func TestSafeTakesOutWhatATerminalActsUpon(t *testing.T) {
	for text, want := range map[string]string{
		"plain":                     "plain",
		"two\nlines\tand\r\na tab":  "two lines and  a tab",
		"\x1b[31mred\x1b[0m":        "[31mred[0m",
		"\u202eoverride\u202c":      "override",
		"bell\a and \x9b31m":        "bell and 31m",
		"family 👨\u200d👩\u200d👧 ok": "family 👨\u200d👩\u200d👧 ok",
		"naïve café 日本":             "naïve café 日本",
	} {
		if got := Safe(text); got != want {
			t.Errorf("Safe(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestClipKeepsTheWidth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		width := rapid.IntRange(1, 60).Draw(t, "width")
		clipped := Clip(text, width)
		if uniseg.StringWidth(clipped) > width {
			t.Fatalf("Clip(%q, %d) = %q is %d columns wide", text, width, clipped, uniseg.StringWidth(clipped))
		}
		if strings.IndexFunc(clipped, unicode.IsControl) >= 0 {
			t.Fatalf("Clip(%q) = %q has a control character", text, clipped)
		}
	})
}
