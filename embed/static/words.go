package static

import (
	"context"
	"errors"
	"math"
	"sync"

	"starling/embed"
	"starling/embed/static/internal/token"
	"starling/vec"
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
// one, the semantic one is multiplied with the balance that [Card] gives a text
// with words as rare as its own, and the whole is scaled to length one. The last bits of a vector depend on the processor, as
// those of vec.AddScaled do.
type WordModel struct {
	card    Card
	weights Weights
	table   *table
	// head holds, for each of the first headWords words, what it adds to both parts
	// of a text's vector where its token has weight one: Dim values.
	head     []float32
	encoders sync.Pool // of *encoder
}

// headWords is how many of the most frequent words have what they add worked out
// beforehand, 4 MiB of it where a text's vector has 512 values: eight of ten words
// of a text are among them.
const headWords = 2048

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
	m.workOutHead()
	return m
}

func (m *WordModel) workOutHead() {
	e := &encoder{words: m.table}
	words := m.weights.Words[:min(headWords, len(m.weights.Words))]
	m.head = make([]float32, len(words)*m.Dim())
	for i, word := range words {
		semantic, lexical := m.parts(m.head[i*m.Dim():][:m.Dim()])
		m.weights.Vectors.addRow(semantic, i, 1)
		var wide vector
		e.addWord(&wide, []byte(word), 1)
		fold(lexical, &wide)
	}
}

// parts returns the semantic and the lexical part of a text's vector.
func (m *WordModel) parts(row []float32) (semantic, lexical []float32) {
	return row[:m.card.WordDim], row[m.card.WordDim:]
}

// Card describes the model.
func (m *WordModel) Card() Card { return m.card }

// Dim implements [embed.Embedder].
func (m *WordModel) Dim() int { return m.card.Dim() }

// Info implements [embed.Embedder].
func (m *WordModel) Info() embed.Info { return m.card.info() }

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
	semantic, lexical := m.parts(row)
	var wide vector // what is folded to the lexical part
	tokens := e.tokens(text)
	for _, t := range tokens {
		if m.addHead(e, row, &wide, t) {
			continue
		}
		e.addToken(&wide, t)
		m.addToken(e, semantic, t)
	}
	fold(lexical, &wide)
	meant, written := length(semantic), length(lexical)
	if written == 0 { // no characters after folding, or all values cancel
		lexical[0], written = 1, 1
	}
	share := 0.0 // of the squared length
	if meant > 0 {
		balance := m.card.balance(written / math.Sqrt(float64(blocks*len(tokens))))
		share = balance * balance / (1 + balance*balance)
		scale(semantic, math.Sqrt(share)/meant)
	}
	scale(lexical, math.Sqrt(1-share)/written)
}

// Where the balance of a text is half-way from that of everyday words to that of
// rare ones, and how fast it gets there, chosen on the streams that ARCHITECTURE.md
// lists: commands and questions are about 0.46 rare, headlines without function
// words 0.87.
const rarityMiddle, rarityWidth = 0.67, 0.053

// balance returns the length of the semantic part where that of the lexical part
// is one. rarity is the length of the lexical part of as many tokens that were all
// rare words would be, by which the text's was divided: near 0 where all words are
// frequent, 1 where all are rare.
func (c Card) balance(rarity float64) float64 {
	return c.BalanceRare + (c.Balance-c.BalanceRare)/(1+math.Exp((rarity-rarityMiddle)/rarityWidth))
}

// fold adds the values of v to dst, several to each.
func fold(dst []float32, v *vector) {
	for from := 0; from < Dim; from += len(dst) {
		for i, x := range v[from : from+len(dst)] {
			dst[i] += x
		}
	}
}

// length returns the Euclidean length of v, 0 where it is too small to be
// scaled to a direction.
func length(v []float32) float64 {
	if squared := vec.Dot(v, v); squared > 1e-30 {
		return math.Sqrt(float64(squared))
	}
	return 0
}

func scale(v []float32, by float64) {
	w := float32(by)
	for i := range v {
		v[i] *= w
	}
}

// addHead adds a token to both parts if its word is one of the head.
func (m *WordModel) addHead(e *encoder, row []float32, wide *vector, t token.Token) bool {
	if t.Kind != token.Word && t.Kind != token.Hashtag && t.Kind != token.Mention {
		return false
	}
	word := t.Text
	if elongated(word) {
		word = e.unstretch(word)
	}
	s := m.table.find(hash(wordSeed, word))
	from := int(s.rank) * len(row)
	if s.word == 0 || from >= len(m.head) {
		return false
	}
	vec.AddScaled(row, m.head[from:from+len(row)], kindWeights[t.Kind])
	if t.Kind == token.Hashtag {
		wide.add(featureOf(t), hashtagWeight)
	}
	return true
}

// addToken adds what a token means.
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
	size := length(v)
	if size == 0 {
		return nil, ErrNoWord
	}
	scale(v, 1/size)
	return v, nil
}
