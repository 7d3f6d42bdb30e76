package train

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"starling/embed/static/internal/token"
)

// A vocabulary holds the words that get a vector, most frequent first.
type vocabulary struct {
	words  []string
	shares []float64        // of all tokens, sources capped
	ids    map[string]int32 // by word
	scales []float64        // what a token of each source counts
	tokens []int64          // of each source, uncapped
}

// countWords chooses the words of the corpus that get a vector.
func countWords(ctx context.Context, paths []string, c Config, done func(files int)) (*vocabulary, error) {
	var files atomic.Int64
	counts := make([]map[string]int64, len(paths))
	err := parallel(len(paths), func(i int) error {
		counts[i] = make(map[string]int64)
		defer func() { done(int(files.Add(1))) }()
		return eachText(ctx, paths[i], func(words []token.Token) {
			for _, w := range words {
				counts[i][string(w.Text)]++
			}
		})
	})
	if err != nil {
		return nil, err
	}
	return newVocabulary(counts, c)
}

// A count is how often a word occurs, and what that counts.
type count struct {
	tokens int64
	scaled float64
}

// newVocabulary joins the counts of the sources.
func newVocabulary(counts []map[string]int64, c Config) (*vocabulary, error) {
	v := &vocabulary{scales: make([]float64, len(counts)), tokens: make([]int64, len(counts))}
	joined, total := make(map[string]count), 0.0
	for i, source := range counts {
		size := int64(0)
		for _, n := range source {
			size += n
		}
		v.tokens[i] = size
		v.scales[i] = min(1, float64(c.SourceTokens)/float64(max(1, size)))
		total += v.scales[i] * float64(size)
		for word, n := range source {
			sum := joined[word]
			joined[word] = count{sum.tokens + n, sum.scaled + float64(v.scales[i]*float64(n))}
		}
	}
	v.choose(joined, total, c)
	if least := max(minWords, c.Dim); len(v.words) < least {
		return nil, fmt.Errorf("the corpus has %d words that occur %d times, too few to find %d values for each: %d are needed",
			len(v.words), c.MinCount, c.Dim, least)
	}
	return v, nil
}

// choose takes the c.Words most frequent words, equals in alphabetical order.
func (v *vocabulary) choose(counts map[string]count, total float64, c Config) {
	for word, n := range counts {
		if n.tokens >= int64(c.MinCount) && len(word) <= maxWordBytes {
			v.words = append(v.words, word)
		}
	}
	slices.SortFunc(v.words, func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b].scaled, counts[a].scaled), strings.Compare(a, b))
	})
	v.words = v.words[:min(c.Words, len(v.words))]
	v.shares = make([]float64, len(v.words))
	v.ids = make(map[string]int32, len(v.words))
	for i, word := range v.words {
		v.shares[i] = counts[word].scaled / total
		v.ids[word] = int32(i)
	}
}

const (
	// minWords is how many words a corpus must have for vectors to be found.
	minWords = 100
	// maxWordBytes is the longest word that gets a vector: longer ones are codes.
	maxWordBytes = 40
)

// A text is the ids of its words; -1 stands for words without a vector.
type text []int32

// readTexts reads the corpus again, as ids, the texts of each source after one
// another.
func readTexts(ctx context.Context, paths []string, v *vocabulary, done func(files int)) ([][]text, error) {
	var files atomic.Int64
	sources := make([][]text, len(paths))
	err := parallel(len(paths), func(i int) error {
		defer func() { done(int(files.Add(1))) }()
		return eachText(ctx, paths[i], func(words []token.Token) {
			sources[i] = append(sources[i], v.textOf(words))
		})
	})
	return sources, err
}

func (v *vocabulary) textOf(words []token.Token) text {
	ids := make(text, len(words))
	for i, w := range words {
		id, known := v.ids[string(w.Text)]
		if !known {
			id = -1
		}
		ids[i] = id
	}
	return ids
}
