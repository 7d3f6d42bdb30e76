package wordpiece

import (
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/unicode/rangetable"
)

// The Rust crate keeps the general categories of Unicode 8 and the decompositions
// of Unicode 9, while white space and lower case come from Rust's own library,
// which is at Unicode 17. Go's tables give all of it, cut down to what was
// assigned then, but for the few characters that changed since. Only the word
// boundaries of added tokens are those of Go's own version of Unicode.

// categories are general categories as of Unicode 8.
type categories struct {
	format, punctuation, mark *unicode.RangeTable
}

var unicode8 = sync.OnceValue(func() categories {
	assigned := rangetable.Assigned("8.0.0")
	return categories{
		format:      within(assigned, unicode.Cf, nil, nil),
		punctuation: within(assigned, unicode.P, []rune{0x166d, 0x111c9}, nil),
		mark:        within(assigned, unicode.Mn, []rune{0x1734}, []rune{0x1885, 0x1886, 0xa9bd, 0x111c9}),
	}
})

// within returns table cut down to what was assigned, with the runes in was and
// without those in isNow.
func within(assigned, table *unicode.RangeTable, was, isNow []rune) *unicode.RangeTable {
	kept := was
	except := rangetable.New(isNow...)
	rangetable.Visit(table, func(r rune) {
		if unicode.Is(assigned, r) && !unicode.Is(except, r) {
			kept = append(kept, r)
		}
	})
	return rangetable.New(kept...)
}

// isDropped reports whether r is dropped from a clean text: control characters,
// but for some white space, format characters and those of private use.
func isDropped(r rune) bool {
	switch r {
	case '\t', '\n', '\r':
		return false
	case utf8.RuneError:
		return true
	}
	return unicode.In(r, unicode.Cc, unicode.Co) || unicode.Is(unicode8().format, r)
}

func isPunctuation(r rune) bool { return unicode.Is(unicode8().punctuation, r) }

// isMark reports whether r is a non-spacing mark.
func isMark(r rune) bool { return unicode.Is(unicode8().mark, r) }

// isIdeograph reports whether r is one to BERT: kana and hangul are not.
func isIdeograph(r rune) bool { return unicode.Is(ideographs, r) }

// ideographs are the blocks that Google's BERT names. The gap before 2b920 is a
// slip of the Rust crate, where BERT has 2b820.
var ideographs = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x3400, Hi: 0x4dbf, Stride: 1},
		{Lo: 0x4e00, Hi: 0x9fff, Stride: 1},
		{Lo: 0xf900, Hi: 0xfaff, Stride: 1},
	},
	R32: []unicode.Range32{
		{Lo: 0x20000, Hi: 0x2a6df, Stride: 1},
		{Lo: 0x2a700, Hi: 0x2b73f, Stride: 1},
		{Lo: 0x2b740, Hi: 0x2b81f, Stride: 1},
		{Lo: 0x2b920, Hi: 0x2ceaf, Stride: 1},
		{Lo: 0x2f800, Hi: 0x2fa1f, Stride: 1},
	},
}

// toLower knows the letters that Unicode 16 and 17 gave a lower case, and all
// others as Go does.
var toLower = unicode.SpecialCase{
	lowerBy(0x1c89, 0x1c89, 1),
	lowerBy(0xa7cb, 0xa7cb, 0x264-0xa7cb),
	lowerBy(0xa7cc, 0xa7cc, 1),
	lowerBy(0xa7ce, 0xa7ce, 1),
	lowerBy(0xa7d2, 0xa7d2, 1),
	lowerBy(0xa7d4, 0xa7d4, 1),
	lowerBy(0xa7da, 0xa7da, 1),
	lowerBy(0xa7dc, 0xa7dc, 0x19b-0xa7dc),
	lowerBy(0x10d50, 0x10d65, 0x20),
	lowerBy(0x16ea0, 0x16eb8, 0x1b),
}

func lowerBy(from, to uint32, delta rune) unicode.CaseRange {
	r := unicode.CaseRange{Lo: from, Hi: to}
	r.Delta[unicode.LowerCase] = delta
	return r
}

var unicode9 = sync.OnceValue(func() *unicode.RangeTable { return rangetable.Assigned("9.0.0") })

// maxDecomposed is the most characters that one decomposes into.
const maxDecomposed = 4

// decompose appends the canonical decomposition of r to dst.
func decompose(dst []rune, r rune) []rune {
	if isHangul(r) {
		return decomposeHangul(dst, r)
	}
	var encoded [utf8.UTFMax]byte
	parts := norm.NFD.Properties(utf8.AppendRune(encoded[:0], r)).Decomposition()
	if len(parts) == 0 || !unicode.Is(unicode9(), r) {
		return append(dst, r)
	}
	for len(parts) > 0 {
		part, size := utf8.DecodeRune(parts)
		dst = append(dst, part)
		parts = parts[size:]
	}
	return dst
}

// combiningClass returns the canonical combining class of r.
func combiningClass(r rune) uint8 {
	var encoded [utf8.UTFMax]byte
	class := norm.NFD.Properties(utf8.AppendRune(encoded[:0], r)).CCC()
	if class != 0 && !unicode.Is(unicode9(), r) {
		return 0
	}
	return class
}

// The arithmetic of hangul syllables (The Unicode Standard, section 3.12).
const (
	hangulFirst   = 0xac00
	hangulLast    = 0xd7a3
	leadFirst     = 0x1100
	vowelFirst    = 0x1161
	trailBefore   = 0x11a7 // stands for no trailing consonant
	hangulVowels  = 21
	hangulTrails  = 28
	hangulPerLead = hangulVowels * hangulTrails
)

func isHangul(r rune) bool { return hangulFirst <= r && r <= hangulLast }

func decomposeHangul(dst []rune, r rune) []rune {
	i := r - hangulFirst
	dst = append(dst, leadFirst+i/hangulPerLead, vowelFirst+i%hangulPerLead/hangulTrails)
	if trail := i % hangulTrails; trail != 0 {
		dst = append(dst, trailBefore+trail)
	}
	return dst
}
