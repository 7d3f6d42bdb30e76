package wordpiece

import (
	"slices"
	"unicode"
	"unicode/utf8"
)

// A normaliser is BERT's: the steps are taken in the order of the fields.
type normaliser struct {
	// clean drops control characters and makes white space plain.
	clean bool
	// ideographs puts spaces around ideographs.
	ideographs bool
	// accents takes accents off: it decomposes characters (Unicode's normal
	// form D) and drops non-spacing marks.
	accents bool
	// lower lower-cases, each character by itself: a final sigma becomes a
	// plain one.
	lower bool
	// ascii has what each ASCII character becomes, or dropped.
	ascii [utf8.RuneSelf]byte
}

const dropped = utf8.RuneSelf

func newNormaliser(clean, ideographs, accents, lower bool) normaliser {
	n := normaliser{clean: clean, ideographs: ideographs, accents: accents, lower: lower}
	for b := range n.ascii {
		r := rune(b)
		switch {
		case clean && isDropped(r):
			r = dropped
		case clean && unicode.IsSpace(r):
			r = ' '
		case lower:
			r = unicode.ToLower(r)
		}
		n.ascii[b] = byte(r)
	}
	return n
}

// append appends normalised text to dst. It stops after the first character that
// ends a word, white space or punctuation, from which on dst has full bytes, and
// returns how much of text it has read.
func (n *normaliser) append(dst []byte, text string, full int) (out []byte, read int) {
	starter := len(dst)
	for i := 0; i < len(text); {
		if text[i] < utf8.RuneSelf {
			b := n.ascii[text[i]]
			i++
			if b == dropped {
				continue
			}
			dst = append(dst, b)
			if len(dst) >= full && asciiKinds[b] != inWord {
				return dst, i
			}
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		i += size
		dst, starter = n.appendRune(dst, starter, r)
		if len(dst) >= full && dst[len(dst)-1] == ' ' {
			return dst, i
		}
	}
	return dst, len(text)
}

// appendRune appends what r becomes. Marks are put in order from dst[starter:]
// on; it returns where that is for the next character.
func (n *normaliser) appendRune(dst []byte, starter int, r rune) ([]byte, int) {
	if n.clean {
		if isDropped(r) {
			return dst, starter
		}
		if unicode.IsSpace(r) {
			return append(dst, ' '), starter
		}
	}
	if n.ideographs && isIdeograph(r) {
		dst = append(dst, ' ')
		dst, starter = n.appendBare(dst, starter, r)
		return append(dst, ' '), starter
	}
	return n.appendBare(dst, starter, r)
}

// appendBare appends r without accents, if those go, and lower-cased.
func (n *normaliser) appendBare(dst []byte, starter int, r rune) ([]byte, int) {
	if !n.accents {
		return n.appendLower(dst, r), starter
	}
	var parts [maxDecomposed]rune
	for _, part := range decompose(parts[:0], r) {
		class := combiningClass(part)
		switch {
		case isMark(part) && class == 0:
			starter = len(dst) // it is gone, and yet marks do not move across it
		case isMark(part):
		case class == 0:
			dst = n.appendLower(dst, part)
		default:
			dst = insertMark(dst, starter, part, class)
		}
	}
	return dst, starter
}

func (n *normaliser) appendLower(dst []byte, r rune) []byte {
	if !n.lower {
		return utf8.AppendRune(dst, r)
	}
	if r == 'İ' { // the only one that becomes two
		return append(dst, "i\u0307"...)
	}
	return utf8.AppendRune(dst, toLower.ToLower(r))
}

// insertMark inserts a mark that is spacing, hence kept, before those of a higher
// combining class: Unicode's canonical ordering.
func insertMark(dst []byte, starter int, mark rune, class uint8) []byte {
	at := len(dst)
	for at > starter {
		before, size := utf8.DecodeLastRune(dst[starter:at])
		if combiningClass(before) <= class {
			break
		}
		at -= size
	}
	var encoded [utf8.UTFMax]byte
	return slices.Insert(dst, at, utf8.AppendRune(encoded[:0], mark)...)
}
