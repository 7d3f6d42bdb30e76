package wordpiece

import (
	"cmp"
	"slices"
	"sync"
	"unicode"
	"unicode/utf8"
)

// A normaliser is BERT's.
type normaliser struct {
	steps
	// ascii has what each ASCII character becomes, or dropped.
	ascii [utf8.RuneSelf]byte
	// simple has what each character of the basic plane becomes, where that is
	// one such character and no mark that may move; 0 elsewhere. It saves most
	// texts the look into a dozen tables.
	simple []uint16
}

// steps says which ones a normaliser takes, in the order of the fields.
type steps struct {
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
}

const dropped = utf8.RuneSelf

// simpleTables has the tables made so far by steps.
var simpleTables sync.Map

func newNormaliser(s steps) normaliser {
	n := normaliser{steps: s}
	for b := range n.ascii {
		n.ascii[b] = n.become(byte(b))
	}
	table, ok := simpleTables.Load(s)
	if !ok {
		table = n.simpleTable()
		simpleTables.Store(s, table)
	}
	n.simple = table.([]uint16)
	return n
}

// become returns what an ASCII character becomes.
func (n *normaliser) become(b byte) byte {
	switch r := rune(b); {
	case n.clean && isDropped(r):
		return dropped
	case n.clean && unicode.IsSpace(r):
		return ' '
	case n.lower:
		return byte(unicode.ToLower(r))
	}
	return b
}

func (n *normaliser) simpleTable() []uint16 {
	table := make([]uint16, 1<<16)
	var d draft
	for r := range rune(len(table)) {
		d.text, d.marks = d.text[:0], false
		n.appendRune(&d, r)
		become, size := utf8.DecodeRune(d.text)
		if size > 0 && size == len(d.text) && !d.marks && int(become) < len(table) {
			table[r] = uint16(become)
		}
	}
	return table
}

// append appends normalised text to dst until that has about full bytes, and
// returns how much of text it has read. The text may go on in another call.
func (n *normaliser) append(dst []byte, text string, full int) (out []byte, read int) {
	d := draft{text: dst, ordered: len(dst)}
	i := 0
	for i < len(text) && (len(d.text) < full || !d.endsWithStarter()) {
		if text[i] < utf8.RuneSelf {
			if b := n.ascii[text[i]]; b != dropped {
				d.text = append(d.text, b)
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		if int(r) < len(n.simple) && n.simple[r] != 0 {
			d.text = utf8.AppendRune(d.text, rune(n.simple[r]))
		} else {
			n.appendRune(&d, r)
		}
		i += size
	}
	d.order()
	return d.text, i
}

// appendRune appends what r becomes.
func (n *normaliser) appendRune(d *draft, r rune) {
	switch {
	case n.clean && isDropped(r):
	case n.clean && unicode.IsSpace(r):
		d.text = append(d.text, ' ')
	case n.ideographs && isIdeograph(r):
		d.text = append(d.text, ' ')
		n.appendBare(d, r)
		d.text = append(d.text, ' ')
	default:
		n.appendBare(d, r)
	}
}

// appendBare appends r without accents, if those go, and lower-cased.
func (n *normaliser) appendBare(d *draft, r rune) {
	if !n.accents {
		n.appendLower(d, r)
		return
	}
	var parts [maxDecomposed]rune
	for _, part := range decompose(parts[:0], r) {
		class := combiningClass(part)
		switch {
		case isMark(part) && class == 0:
			d.order() // it is gone, and yet no mark moves across it
		case isMark(part):
		default:
			d.marks = d.marks || class != 0
			n.appendLower(d, part)
		}
	}
}

func (n *normaliser) appendLower(d *draft, r rune) {
	switch {
	case !n.lower:
		d.text = utf8.AppendRune(d.text, r)
	case r == 'İ': // the only one that becomes two
		d.text = append(d.text, "i\u0307"...)
	default:
		d.text = utf8.AppendRune(d.text, toLower.ToLower(r))
	}
}

// A draft is a text that is being normalised.
type draft struct {
	text []byte
	// ordered is where the text begins whose marks may be out of order: those
	// that are spacing, hence kept. It has some where marks is set.
	ordered int
	marks   bool
}

// endsWithStarter reports whether the next character cannot change the order of
// what is there.
func (d *draft) endsWithStarter() bool {
	last, _ := utf8.DecodeLastRune(d.text)
	return combiningClass(last) == 0
}

// order puts marks into Unicode's canonical order: each run of them is sorted by
// combining class (The Unicode Standard, section 3.11).
func (d *draft) order() {
	if d.marks {
		for text := d.text[d.ordered:]; len(text) > 0; {
			_, size := utf8.DecodeRune(text)
			text = text[max(size, sortMarks(text)):]
		}
	}
	d.ordered, d.marks = len(d.text), false
}

// sortMarks sorts the marks that text begins with and returns their length.
func sortMarks(text []byte) int {
	end := 0
	for end < len(text) {
		r, size := utf8.DecodeRune(text[end:])
		if combiningClass(r) == 0 {
			break
		}
		end += size
	}
	run := []rune(string(text[:end]))
	slices.SortStableFunc(run, func(a, b rune) int { return cmp.Compare(combiningClass(a), combiningClass(b)) })
	copy(text, string(run))
	return end
}
