package static

import (
	"math"
	"unicode/utf8"

	"starling/embed/static/internal/token"
)

// An encoder turns one text after another into vectors. It is not safe for use
// by several goroutines.
type encoder struct {
	words    *table
	splitter token.Splitter
	squeezed []byte // a word without its repeated letters
	marked   []byte // a word between boundary marks
	starts   []int  // where the characters of marked begin, and its end
}

// encode adds the features of text to row, which is zero, and scales it to
// length one.
func (e *encoder) encode(row *vector, text string) {
	for _, t := range e.tokens(text) {
		e.addToken(row, t)
	}
	if row.normalise() {
		return
	}
	// The text has no characters after folding, or its features cancel.
	row.add(hash(textSeed, []byte(text)), 1)
	row.normalise()
}

// tokens returns the tokens of text, or else its characters.
func (e *encoder) tokens(text string) []token.Token {
	if tokens := e.splitter.Split(text); len(tokens) > 0 {
		return tokens
	}
	return e.splitter.Characters(text)
}

// featureOf returns the feature of a token as such. Words and numbers are in
// the table.
func featureOf(t token.Token) feature {
	if t.Kind == token.Word || t.Kind == token.Number {
		return hash(wordSeed, t.Text)
	}
	return hash(otherSeed+uint64(t.Kind), t.Text)
}

func (e *encoder) addToken(row *vector, t token.Token) {
	w := kindWeights[t.Kind]
	switch t.Kind {
	case token.Word, token.Mention:
		e.addWord(row, t.Text, w)
	case token.Hashtag:
		e.addWord(row, t.Text, w)
		row.add(featureOf(t), hashtagWeight)
	case token.Number:
		f := featureOf(t)
		known, _ := e.words.weight(f)
		row.add(f, w*known)
	default:
		row.add(featureOf(t), w)
	}
}

var (
	wordPart  = float32(math.Sqrt(1 - ngramShare))
	ngramPart = float32(math.Sqrt(ngramShare))
)

// addWord adds the directions of word and of its n-grams, of length w times
// the word's weight together.
func (e *encoder) addWord(row *vector, word []byte, w float32) {
	if elongated(word) {
		word = e.unstretch(word)
	}
	f := hash(wordSeed, word)
	weight, _ := e.words.weight(f)
	row.add(f, w*weight*wordPart)
	e.addNgrams(row, word, w*weight*ngramPart)
}

// addNgrams adds the directions of the character n-grams of word between
// boundary marks, each of length w divided by the square root of their number:
// random directions add up to length w, however long the word.
func (e *encoder) addNgrams(row *vector, word []byte, w float32) {
	w = float32(float64(w) / math.Sqrt(float64(e.mark(word))))
	e.eachNgram(func(f feature) { row.add(f, w) })
}

// eachNgram calls use with the n-grams of the word that was marked.
func (e *encoder) eachNgram(use func(feature)) {
	chars := len(e.starts) - 1
	for n := shortestNgram; n <= min(longestNgram, chars); n++ {
		for i := range chars - n + 1 {
			use(hash(ngramSeed, e.marked[e.starts[i]:e.starts[i+n]]))
		}
	}
}

// mark sets marked and starts for word and returns the number of its n-grams.
// It has at least one character, so that there is at least one n-gram.
func (e *encoder) mark(word []byte) (ngrams int) {
	e.marked = append(append(append(e.marked[:0], '<'), word...), '>')
	e.starts = e.starts[:0]
	for i, b := range e.marked {
		if utf8.RuneStart(b) {
			e.starts = append(e.starts, i)
		}
	}
	e.starts = append(e.starts, len(e.marked))
	chars := len(e.starts) - 1
	for n := shortestNgram; n <= min(longestNgram, chars); n++ {
		ngrams += chars - n + 1
	}
	return ngrams
}
