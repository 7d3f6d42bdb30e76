package static

import (
	"context"
	"errors"
	"math"
	"sync"

	"starling/embed"
	"starling/embed/static/internal/token"
)

// smoothingTrained is the a of a/(a+p) for word vectors; see [WordWeight].
const smoothingTrained = 1e-3

// WordWeight is what the vector of a word counts in a text, for a word that is
// the share p of all tokens: a/(a+p) with a = 1e-3, larger than for the lexical
// part, where common words say less.
func WordWeight(p float64) float64 { return smoothingTrained / (smoothingTrained + p) }

// A WordModel embeds texts with word vectors that were trained. It is safe for
// use by several goroutines.
//
// A text's vector has two parts. The semantic one is the sum of its words'
// vectors, each weighed as [WordWeight] says; a word without a vector has the
// mean of its n-grams' instead. The lexical one is the vector of [Model], over
// the words of this model, folded to fewer values. Both are scaled to length
// one, the semantic one is multiplied with the card's balance, and the whole is
// scaled to length one.
type WordModel struct {
	card     Card
	weights  Weights
	table    *table
	encoders sync.Pool // of *encoder
}

var _ embed.Embedder = (*WordModel)(nil)

// Open loads a model from its folder. The model's name is name, or that of the
// card if it is empty.
func Open(dir, name string) (*WordModel, error) {
	card, err := readCard(dir)
	if err != nil {
		return nil, err
	}
	weights, err := readFile(dir, card)
	if err != nil {
		return nil, err
	}
	if name != "" {
		card.Name = name
	}
	return NewWordModel(card, weights), nil
}

// NewWordModel returns a model with the weights that card describes.
func NewWordModel(card Card, w Weights) *WordModel {
	m := &WordModel{card: card, weights: w, table: &table{slots: make([]slot, 1<<10)}}
	for i, word := range w.Words {
		m.table.insert(hash(wordSeed, []byte(word)), smoothInverse(float64(w.Shares[i])))
	}
	m.encoders.New = func() any { return &encoder{words: m.table} }
	return m
}

// Card describes the model.
func (m *WordModel) Card() Card { return m.card }

// Dim implements [embed.Embedder].
func (m *WordModel) Dim() int { return m.card.Dim() }

// Info implements [embed.Embedder].
func (m *WordModel) Info() embed.Info {
	return embed.Info{
		Name: m.card.Name, Fingerprint: m.card.fingerprint(), Dim: m.Dim(),
		Description: m.card.Description, Licence: m.card.Licence,
	}
}

// Embed implements [embed.Embedder], as [Model.Embed] does.
func (m *WordModel) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	e := m.encoders.Get().(*encoder)
	defer m.encoders.Put(e)
	dim := m.Dim()
	values := make([]float32, len(texts)*dim)
	rows := make([][]float32, len(texts))
	for i, text := range texts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if isBlank(text) {
			return nil, &embed.TextError{Index: i, Err: ErrBlank}
		}
		rows[i] = values[i*dim : (i+1)*dim : (i+1)*dim]
		m.encode(e, rows[i], text)
	}
	return rows, nil
}

// encode sets row, which is zero, to the vector of text.
func (m *WordModel) encode(e *encoder, row []float32, text string) {
	semantic, lexical := row[:m.card.WordDim], row[m.card.WordDim:]
	tokens := e.tokens(text)
	var wide vector
	e.encodeTokens(&wide, tokens, text)
	fold(lexical, &wide)
	if !scale(lexical, 1) { // all values cancel
		lexical[0] = 1
	}
	for _, t := range tokens {
		m.addToken(e, semantic, t)
	}
	if scale(semantic, m.card.Balance) {
		scale(row, 1)
	}
}

// fold adds the values of v to dst, several to each.
func fold(dst []float32, v *vector) {
	for from := 0; from < Dim; from += len(dst) {
		for i, x := range v[from : from+len(dst)] {
			dst[i] += x
		}
	}
}

// scale scales v to a length and reports whether it could: the zero vector has
// no direction.
func scale(v []float32, length float64) bool {
	sum := 0.0
	for _, x := range v {
		sum += float64(x) * float64(x) // exact, so a fused sum is the same
	}
	if sum == 0 {
		return false
	}
	by := length / math.Sqrt(sum)
	for i, x := range v {
		v[i] = float32(float64(x) * by)
	}
	return true
}

func (m *WordModel) addToken(e *encoder, dst []float32, t token.Token) {
	switch t.Kind {
	case token.Word, token.Hashtag, token.Mention:
		word := t.Text
		if elongated(word) {
			word = e.unstretch(word)
		}
		m.addWord(e, dst, word, kindWeights[t.Kind])
	case token.Number:
		if s := m.table.find(hash(wordSeed, t.Text)); s.word != 0 {
			m.weights.Vectors.addRow(dst, int(s.rank), kindWeights[t.Kind])
		}
	}
}

// addWord adds w times the vector of a word.
func (m *WordModel) addWord(e *encoder, dst []float32, word []byte, w float32) {
	if s := m.table.find(hash(wordSeed, word)); s.word != 0 {
		m.weights.Vectors.addRow(dst, int(s.rank), w)
		return
	}
	w /= float32(e.mark(word))
	e.eachNgram(func(f feature) {
		m.weights.Ngrams.addRow(dst, bucket(f, len(m.weights.Ngrams.Scales)), w)
	})
}

func bucket(f feature, buckets int) int { return int(uint64(f) % uint64(buckets)) }

// Buckets returns, for each n-gram of a word, which row of [Weights.Ngrams] it
// has where there are n of them.
func Buckets(word string, n int) []int {
	var e encoder
	rows := make([]int, 0, e.mark([]byte(word)))
	e.eachNgram(func(f feature) { rows = append(rows, bucket(f, n)) })
	return rows
}

// Tokenize returns one id for each token of text, as [Model.Tokenize] does.
func (m *WordModel) Tokenize(text string) []int {
	e := m.encoders.Get().(*encoder)
	defer m.encoders.Put(e)
	tokens := e.tokens(text)
	ids := make([]int, len(tokens))
	for i, t := range tokens {
		ids[i] = m.table.id(featureOf(t))
	}
	return ids
}

// ErrNoWord says that a word cannot be compared: it has no letters.
var ErrNoWord = errors.New("not a word")

// WordVector returns the vector of a word, of length one.
func (m *WordModel) WordVector(word string) ([]float32, error) {
	e := &encoder{words: m.table}
	v := make([]float32, m.card.WordDim)
	for _, t := range e.splitter.Split(word) {
		m.addToken(e, v, t)
	}
	if !scale(v, 1) {
		return nil, ErrNoWord
	}
	return v, nil
}
