package token

import (
	"unicode"
	"unicode/utf8"
)

// A class is what a character can be part of.
type class uint8

const (
	other class = iota
	letter
	digit
	mark      // a combining mark; it continues a word
	ideograph // a character that is a token by itself
	symbol
)

// classOf returns the class of r.
func classOf(r rune) class {
	switch {
	case r < utf8.RuneSelf:
		return asciiClass[r]
	case isIdeograph(r):
		return ideograph
	case unicode.IsLetter(r):
		return letter
	case unicode.IsDigit(r):
		return digit
	case unicode.Is(unicode.So, r) && r != utf8.RuneError:
		return symbol
	case unicode.IsMark(r) && !isVariationSelector(r):
		return mark
	}
	return other
}

// isIdeograph reports whether r is of a script that writes words without
// spaces between them and is read character by character. U+30FC, the long
// vowel mark, belongs to both kana.
func isIdeograph(r rune) bool {
	return r >= 0x2e80 && (r == 0x30fc || unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana))
}

// isVariationSelector reports whether r only says how the character before it
// is drawn.
func isVariationSelector(r rune) bool { return r >= 0xfe00 && r <= 0xfe0f }

func isRegionalIndicator(r rune) bool { return r >= 0x1f1e6 && r <= 0x1f1ff }

// asciiClass holds the classes of ASCII, where most of the time is spent.
var asciiClass = func() (table [utf8.RuneSelf]class) {
	for r := '0'; r <= '9'; r++ {
		table[r] = digit
	}
	for r := 'a'; r <= 'z'; r++ {
		table[r] = letter
	}
	return table
}()
