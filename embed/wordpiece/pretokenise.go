package wordpiece

import (
	"unicode"
	"unicode/utf8"
)

// readWords appends the tokens of the words of text, which is normalised: every
// punctuation character is a word, and so is what is between white space and
// punctuation. It returns the last word unread, as that may go on.
func (t *Tokenizer) readWords(o *output, text []byte) (last []byte) {
	start := 0
	for i := 0; i < len(text) && !o.full(); {
		kind, size := kindOf(text[i:])
		if kind != inWord {
			t.vocabulary.read(o, text[start:i])
			start = i + size
		}
		if kind == punctuation {
			t.vocabulary.read(o, text[i:start])
		}
		i += size
	}
	return text[start:]
}

// A kind is what a character is to the pre-tokenizer.
type kind uint8

const (
	inWord kind = iota
	space
	punctuation
)

// kindOf returns the kind and the size of the first character of text.
func kindOf(text []byte) (kind, int) {
	if text[0] < utf8.RuneSelf {
		return asciiKinds[text[0]], 1
	}
	r, size := utf8.DecodeRune(text)
	switch {
	case unicode.IsSpace(r):
		return space, size
	case isPunctuation(r):
		return punctuation, size
	}
	return inWord, size
}

var asciiKinds = func() (kinds [utf8.RuneSelf]kind) {
	for b := range kinds {
		switch r := rune(b); {
		case unicode.IsSpace(r):
			kinds[b] = space
		case unicode.IsPunct(r), unicode.IsSymbol(r): // "+" and "$" too
			kinds[b] = punctuation
		}
	}
	return kinds
}()
