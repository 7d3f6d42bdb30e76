package train

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"sort"
)

const (
	// shortestDealt is how many words with a vector a text must have to be dealt.
	shortestDealt = 4
	// longestDealt is how many are dealt of a text: a stretch of it, where it has more.
	longestDealt = 40
)

// A deck holds the texts that pairs of halves are dealt from.
type deck struct {
	sources [][]text // words without a vector left out
	// upTo holds the weights of the sources up to each one, added up: the number
	// of texts times what a token of the source counts.
	upTo []float64
}

func newDeck(sources [][]text, scales []float64) *deck {
	d := &deck{}
	sum := 0.0
	for i, texts := range sources {
		var long []text
		for _, words := range texts {
			known := slices.DeleteFunc(slices.Clone(words), func(id int32) bool { return id < 0 })
			if len(known) >= shortestDealt {
				long = append(long, known)
			}
		}
		sum += scales[i] * float64(len(long))
		d.sources = append(d.sources, long)
		d.upTo = append(d.upTo, sum)
	}
	return d
}

func (d *deck) texts() int {
	n := 0
	for _, texts := range d.sources {
		n += len(texts)
	}
	return n
}

// deal picks a text and deals its words out to two halves, at random, as many to
// each.
func (d *deck) deal(random *rand.Rand, first, second *[]int32) {
	x := random.Float64() * d.upTo[len(d.upTo)-1]
	source := d.sources[sort.Search(len(d.upTo)-1, func(i int) bool { return d.upTo[i] > x })]
	words := source[random.IntN(len(source))]
	if over := len(words) - longestDealt; over > 0 {
		from := random.IntN(over + 1)
		words = words[from : from+longestDealt]
	}
	*first, *second = (*first)[:0], (*second)[:0]
	for i, k := range random.Perm(len(words)) {
		if i%2 == 0 {
			*first = append(*first, words[k])
		} else {
			*second = append(*second, words[k])
		}
	}
}

// wordUses lists where the words of a batch stand: sorted, so that sums over the
// uses of a word have one order.
type wordUses struct {
	of     []wordUse
	starts []int // in of, one for each word, and the end
}

type wordUse struct{ word, side, row int32 }

func (b *batch) uses() wordUses {
	var u wordUses
	for side, halves := range b.halves {
		for row, half := range halves {
			for _, word := range half {
				u.of = append(u.of, wordUse{word, int32(side), int32(row)})
			}
		}
	}
	slices.SortFunc(u.of, func(a, b wordUse) int {
		return cmp.Or(cmp.Compare(a.word, b.word), cmp.Compare(a.side, b.side), cmp.Compare(a.row, b.row))
	})
	for i := range u.of {
		if i == 0 || u.of[i].word != u.of[i-1].word {
			u.starts = append(u.starts, i)
		}
	}
	u.starts = append(u.starts, len(u.of))
	return u
}
