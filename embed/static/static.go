// Package static holds the models that need no download. They are ready at
// once and embed some ten thousands to hundred thousands of short texts a second
// on one core.
//
//	model, err := static.NewWords() // word vectors: "scared" is near "terrified"
//	model, err := static.New()      // hashed words: no meaning
//	vectors, err := model.Embed(ctx, []string{"the train is late again"})
//
// A [WordModel] joins word vectors, which package train finds in a corpus, with
// hashed words. [Open] reads one from its folder. A [Model] hashes alone:
//
// A text becomes tokens (package token), each token a weighed sum of random
// directions in 512 dimensions, and the text the sum of its tokens, scaled to
// length one. Two texts are close when they share rare words, or words spelt
// nearly alike; the model knows nothing of meaning.
//
//   - A word weighs a/(a+p), where p is its share of general English and a is
//     3e-4: smooth inverse frequency (Arora, Liang and Ma, "A simple but
//     tough-to-beat baseline for sentence embeddings", 2017, section 3). So
//     "the" weighs 0.006 and a word that English rarely uses 1.
//   - A word's direction is joined from its own and those of its character
//     n-grams, so that inflections and typos stay close.
//   - A direction is found by hashing: eight of the 512 values, one in each
//     block of 64, are +w or -w (the block construction of Kane and Nelson,
//     "Sparser Johnson-Lindenstrauss transforms", 2014, section 1). Directions
//     of different features have a cosine of 0 on average with a standard
//     deviation of 1/sqrt(512).
//
// The vectors of a [Model] are the same, bit for bit, on every platform.
//
// The table of words is made from a folder of texts; see WORDS.md for the ones
// it was counted on:
//
//	CORPUS=FOLDER go generate ./embed/static
package static

//go:generate go run ./internal/wordcount -out words.tsv.gz $CORPUS

import (
	"context"
	"errors"
	"strings"
	"sync"

	"starling/embed"
)

// Name is the model's name.
const Name = "starling-hash-512"

// Dim is the length of the model's vectors.
const Dim = 512

// ErrBlank says that a text has nothing but white space.
var ErrBlank = errors.New("text is blank")

// A Model is the loaded model. It is safe for use by several goroutines.
type Model struct {
	words    *table
	encoders sync.Pool // of *encoder
}

var _ embed.Embedder = (*Model)(nil)

// New loads the model, which takes some five milliseconds the first time.
func New() (*Model, error) {
	words, err := shippedTable()
	if err != nil {
		return nil, err
	}
	m := &Model{words: words}
	m.encoders.New = func() any { return &encoder{words: words} }
	return m, nil
}

// Embed implements [embed.Embedder]. A blank text is an [embed.TextError] that
// wraps [ErrBlank]; every other text has a vector, invalid UTF-8 too. The rows
// are parts of one array.
func (m *Model) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	e := m.encoders.Get().(*encoder)
	defer m.encoders.Put(e)
	values := make([]float32, len(texts)*Dim)
	rows := make([][]float32, len(texts))
	for i, text := range texts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if isBlank(text) {
			return nil, &embed.TextError{Index: i, Err: ErrBlank}
		}
		rows[i] = values[i*Dim : (i+1)*Dim : (i+1)*Dim]
		e.encode((*vector)(rows[i]), text)
	}
	return rows, nil
}

// Dim implements [embed.Embedder].
func (m *Model) Dim() int { return Dim }

// Info implements [embed.Embedder].
func (m *Model) Info() embed.Info { return Describe() }

// Describe returns the model's description without loading it.
func Describe() embed.Info {
	return embed.Info{
		Name:        Name,
		Fingerprint: shippedFingerprint(),
		Dim:         Dim,
		Description: "Hashed words and character n-grams, weighed by how rare a word is in general English; built in.",
		Licence:     "Apache-2.0",
	}
}

var shippedFingerprint = sync.OnceValue(func() string { return fingerprint(packedWords) })

// Tokenize returns one id for each token of text. A word of the model's table
// has its rank there, 0 for the most frequent; any other token has the size of
// the table plus its hash modulo 2^20. A blank text has none.
func (m *Model) Tokenize(text string) []int {
	e := m.encoders.Get().(*encoder)
	defer m.encoders.Put(e)
	tokens := e.tokens(text)
	ids := make([]int, len(tokens))
	for i, t := range tokens {
		ids[i] = m.words.id(featureOf(t))
	}
	return ids
}

func isBlank(text string) bool { return strings.TrimSpace(text) == "" }
