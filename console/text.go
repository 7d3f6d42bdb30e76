// Package console is what people see in a terminal: updates as they come, the
// table of clusters, progress, and texts of strangers made safe to print.
//
// Rules: results go to standard output and nothing else does; progress, notes
// and warnings go to standard error; progress bars are drawn on terminals only;
// a text from a message never reaches a terminal unescaped.
package console

import (
	"strings"
	"unicode"

	"github.com/rivo/uniseg"
)

// Safe returns a text without what could take over a terminal or reorder a
// line: control and format characters, bidirectional overrides among them. Line
// ends and tabs become spaces; joiners inside emoji stay.
func Safe(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\r', r == '\t', unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r):
			return ' '
		case r == zeroWidthJoiner:
			return r
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, text)
}

const zeroWidthJoiner = '\u200d'

// Clip returns a safe text of at most width columns, with an ellipsis where
// something was cut off.
func Clip(text string, width int) string {
	text = Safe(text)
	if uniseg.StringWidth(text) <= width {
		return text
	}
	var clipped strings.Builder
	used := 1 // the ellipsis
	for graphemes := uniseg.NewGraphemes(text); graphemes.Next(); {
		used += graphemes.Width()
		if used > width {
			break
		}
		clipped.WriteString(graphemes.Str())
	}
	return strings.TrimRight(clipped.String(), " ") + "…"
}

// pad fills a text up with spaces to a width in columns.
func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-uniseg.StringWidth(text)))
}
