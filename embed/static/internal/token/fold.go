package token

import (
	"html"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// appendFolded appends text to dst with HTML entities decoded, in Unicode form
// NFKC and in lower case.
func appendFolded(dst []byte, text string) []byte {
	if strings.IndexByte(text, '&') >= 0 {
		text = html.UnescapeString(text)
	}
	for i := 0; i < len(text); i++ {
		if text[i] >= utf8.RuneSelf {
			// The character before may be one with a combining mark here.
			from := max(0, i-1)
			return appendFoldedUnicode(dst[:len(dst)-(i-from)], text[from:])
		}
		dst = append(dst, lower[text[i]])
	}
	return dst
}

func appendFoldedUnicode(dst []byte, text string) []byte {
	if !norm.NFKC.IsNormalString(text) {
		text = norm.NFKC.String(text)
	}
	for _, r := range text {
		switch {
		case r < utf8.RuneSelf:
			dst = append(dst, lower[r])
		case isApostrophe(r):
			dst = append(dst, '\'')
		default:
			dst = utf8.AppendRune(dst, unicode.ToLower(r))
		}
	}
	return dst
}

// isApostrophe reports whether people and their keyboards write r for the
// apostrophe.
func isApostrophe(r rune) bool {
	return r == '\u2018' || r == '\u2019' || r == '\u02bc' || r == '\u00b4'
}

// lower maps ASCII to lower case.
var lower = func() (table [utf8.RuneSelf]byte) {
	for i := range table {
		table[i] = byte(unicode.ToLower(rune(i)))
	}
	return table
}()
