// Package train finds the word vectors of a static model in a corpus of texts.
//
//	model, err := train.Train(ctx, []string{"corpus.txt.zst"}, train.Defaults(), nil)
//	card, err := static.Save("my-model", model.Card, model.Weights)
//
// It counts which words stand near each other, turns the counts into positive
// pointwise mutual information, and takes the leading eigenvectors of that
// matrix: Levy and Goldberg, "Neural word embedding as implicit matrix
// factorization", 2014, section 3.3. The vectors are then moved until the halves
// of a text find each other, and vectors for the n-grams of characters are
// then fitted to them.
//
// The corpus is kept in memory: four bytes a token, and twelve more while
// neighbours are counted. All cores work, and the result does not depend on how many there
// are: every sum has one order. The same corpus, settings and processor
// architecture give the same bytes.
package train

import (
	"context"
	"errors"
	"fmt"

	"starling/embed/static"
)

// A Config says how vectors are found.
type Config struct {
	// Words is how many words get a vector at most, the most frequent ones.
	Words int `json:"words"`
	// MinCount is how often a word must occur to get one.
	MinCount int `json:"min_count"`
	// SourceTokens bounds what a file of the corpus counts, so that no genre
	// drowns the others: more tokens than these count as if they were as many.
	SourceTokens int `json:"source_tokens"`
	// Window is how many words apart two words may stand to count as near.
	Window int `json:"window"`
	// Smoothing is the exponent on the counts of words, at most 1.
	Smoothing float64 `json:"smoothing"`
	// Dim is the length of a word's vector.
	Dim int `json:"dim"`
	// Power is the exponent on the eigenvalues.
	Power float64 `json:"power"`
	// Iterations of the search for eigenvectors.
	Iterations int `json:"iterations"`
	// Ngrams is how many vectors the n-grams of characters share.
	Ngrams int `json:"ngrams"`
	// Steps of Batch pairs of halves of texts move the vectors so that the halves
	// find each other; 0 for none, fewer where the corpus is small.
	Steps int `json:"steps"`
	Batch int `json:"batch"`
	// Rate is how far the first step moves a word, and Temperature what cosines
	// are divided by.
	Rate        float64 `json:"rate"`
	Temperature float64 `json:"temperature"`
	// LexicalDim, Balance and BalanceRare go into the card as they are: see [static.Card].
	LexicalDim  int     `json:"lexical_dim"`
	Balance     float64 `json:"balance"`
	BalanceRare float64 `json:"balance_rare"`
	// Seed is where the search for eigenvectors begins.
	Seed uint64 `json:"seed"`
}

// Defaults returns the settings of the model that is shipped.
func Defaults() Config {
	return Config{
		Words: 36_000, MinCount: 5, SourceTokens: 200_000, Window: 5, Smoothing: 0.875,
		Dim: 256, Power: 0.25, Iterations: 5, Steps: 2000, Batch: 256, Rate: 0.005, Temperature: 0.05,
		Ngrams: 8_000, LexicalDim: 256, Balance: 1.2, BalanceRare: 0.5, Seed: 1,
	}
}

func (c Config) validate() error {
	for _, s := range []struct {
		name        string
		value       int
		least, most int
	}{
		{"words", c.Words, minWords, 1 << 21},
		{"minimum count", c.MinCount, 1, 1 << 30},
		{"tokens of a source", c.SourceTokens, 1, 1 << 40},
		{"window", c.Window, 1, 1000},
		{"dimension", c.Dim, 2, 512},
		{"iterations", c.Iterations, 1, 100},
		{"steps", c.Steps, 0, 1 << 24},
		{"pairs of a step", c.Batch, 2, 1 << 12},
		{"n-grams", c.Ngrams, 1, 1 << 20},
	} {
		if s.value < s.least || s.value > s.most {
			return fmt.Errorf("%s: %d is not between %d and %d", s.name, s.value, s.least, s.most)
		}
	}
	if !(c.Smoothing > 0 && c.Smoothing <= 1) || !(c.Power >= 0 && c.Power <= 1) {
		return fmt.Errorf("smoothing %v and power %v must be between 0 and 1", c.Smoothing, c.Power)
	}
	if !(c.Rate > 0 && c.Rate <= 1) || !(c.Temperature >= 0.01 && c.Temperature <= 1) {
		return fmt.Errorf("rate %v must be above 0, temperature %v at least 0.01, and both at most 1", c.Rate, c.Temperature)
	}
	return nil
}

// A Model is what was found.
type Model struct {
	// Card has everything but a name, a description and a licence.
	Card    static.Card
	Weights static.Weights
	// Tokens holds the words and numbers of each file.
	Tokens []int64
}

// A Stage is a part of the work, with the number of steps it has.
type Stage struct {
	Name  string
	Steps int
}

// Train finds vectors in the files of a corpus, a text a line: plain, gzip
// (.gz) or Zstandard (.zst). progress, if it is not nil, is told the stage at
// work and how many of its steps are done, possibly from several goroutines.
// Errors name the file.
func Train(ctx context.Context, paths []string, c Config, progress func(s Stage, done int)) (*Model, error) {
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("training word vectors: %w", err)
	}
	if len(paths) == 0 {
		return nil, errors.New("training word vectors: no corpus is named")
	}
	if progress == nil {
		progress = func(Stage, int) {}
	}
	return trainer{c, progress}.train(ctx, paths)
}

type trainer struct {
	Config
	progress func(s Stage, done int)
}

func (t trainer) train(ctx context.Context, paths []string) (*Model, error) {
	v, sources, err := t.read(ctx, paths)
	if err != nil {
		return nil, err
	}
	counting := t.stage("counting neighbours", len(v.words))
	m, err := cooccurrences(ctx, sources, v, t.Window, counting)
	if err != nil {
		return nil, err
	}
	m.informative(t.Smoothing)
	eigenvalues, vectors, err := leading(ctx, m, t.Config, t.stage("finding vectors", t.Iterations+1))
	if err != nil {
		return nil, err
	}
	shape(vectors, eigenvalues, v, sources, t.Config)
	if err := t.tellApart(ctx, vectors, sources, v); err != nil {
		return nil, err
	}
	fitting := t.stage("fitting n-grams", ngramSteps)
	return t.model(v, vectors, fitNgrams(v, vectors, t.Ngrams, fitting)), nil
}

// mostDealt is how often a text is dealt at most, in the mean: a small corpus
// has less to teach.
const mostDealt = 4

// tellApart moves the vectors so that they tell texts apart.
func (t trainer) tellApart(ctx context.Context, vectors dense, sources [][]text, v *vocabulary) error {
	deck, c := newDeck(sources, v.scales), t.Config
	c.Steps = min(c.Steps, mostDealt*deck.texts()/c.Batch)
	if c.Steps == 0 {
		return nil
	}
	err := contrast(ctx, vectors, deck, c, t.stage("telling texts apart", c.Steps))
	removeCommon(vectors, sampled(sources))
	return err
}

// stage begins a stage and returns what tells of its steps.
func (t trainer) stage(name string, steps int) func(done int) {
	s := Stage{name, steps}
	t.progress(s, 0)
	return func(done int) { t.progress(s, done) }
}

// read reads the corpus: first to count words, then as their ids.
func (t trainer) read(ctx context.Context, paths []string) (*vocabulary, [][]text, error) {
	v, err := countWords(ctx, paths, t.Config, t.stage("counting words", len(paths)))
	if err != nil {
		return nil, nil, err
	}
	sources, err := readTexts(ctx, paths, v, t.stage("reading texts", len(paths)))
	return v, sources, err
}

func (t trainer) model(v *vocabulary, vectors, ngrams dense) *Model {
	shares := make([]float32, len(v.shares))
	for i, p := range v.shares {
		shares[i] = float32(p)
	}
	return &Model{
		Card: static.Card{WordDim: vectors.width, LexicalDim: t.LexicalDim, Balance: t.Balance, BalanceRare: t.BalanceRare},
		Weights: static.Weights{
			Words: v.words, Shares: shares,
			Vectors: static.Quantise(vectors.values, vectors.width),
			Ngrams:  static.Quantise(ngrams.values, ngrams.width),
		},
		Tokens: v.tokens,
	}
}
