package train

import (
	"math"
	"unicode"

	"starling/embed/static"
)

// fitNgrams returns a vector for each of n buckets of character n-grams such
// that the mean of a word's n-gram vectors is close to the word's own, closer
// for frequent words, which are the ones misspelt. It is weighed least squares
// by conjugate gradients (Hestenes and Stiefel 1952, the variant for
// the normal equations), for all columns at once. Words that nobody has seen
// then get the mean of theirs (Zhao, Mudgal and Liang, 2018, whose bags of
// subwords are fitted to the vectors of words in the same way).
func fitNgrams(v *vocabulary, vectors dense, n int, done func(steps int)) dense {
	f := newNgramFit(v, n)
	solution := newDense(n, vectors.width)
	residual := f.ofWords(vectors) // of the words, in the order of f.rows
	gradient := f.spread(residual)
	direction := gradient.clone()
	before := columnNorms(gradient)
	for i := range ngramSteps {
		image := f.mean(direction)
		step := ratios(before, columnNorms(image, direction.weighed(ridge)))
		solution.addColumns(direction, step, 1)
		residual.addColumns(image, step, -1)
		gradient = f.spread(residual)
		gradient.addColumns(solution, constant(vectors.width, ridge), -1)
		after := columnNorms(gradient)
		direction = gradient.plusColumns(direction, ratios(after, before))
		before = after
		done(i + 1)
	}
	return solution
}

const (
	// ngramSteps is the number of steps: few, which also keeps rare n-grams small.
	ngramSteps = 20
	// ridge is what the squares of the solution count beside those of the errors.
	ridge = 0.01
)

// An ngramFit holds the buckets of the words that have letters.
type ngramFit struct {
	rows    []int     // of the vectors
	weights []float32 // of each of them, the root of what its error counts
	buckets [][]int
	uses    [][]use // of each bucket, so that sums have one order
}

type use struct {
	row    int // in rows
	weight float32
}

func newNgramFit(v *vocabulary, n int) *ngramFit {
	f := &ngramFit{uses: make([][]use, n)}
	for i, word := range v.words {
		if !hasLetter(word) {
			continue
		}
		buckets, w := static.Buckets(word, n), fitWeight(v.shares[i])
		for _, b := range buckets {
			f.uses[b] = append(f.uses[b], use{len(f.rows), w / float32(len(buckets))})
		}
		f.weights = append(f.weights, w)
		f.rows = append(f.rows, i)
		f.buckets = append(f.buckets, buckets)
	}
	return f
}

// fitWeight returns the root of what the error of a word counts that is the
// share p of all tokens. Chosen by misspelling words with one letter left out
// or two exchanged.
func fitWeight(p float64) float32 { return float32(min(1, math.Pow(p/1e-3, 0.25))) }

func hasLetter(word string) bool {
	for _, r := range word {
		if unicode.IsLetter(r) {
			return true
		}
	}
	return false
}

// ofWords returns the vectors that are fitted to, times their weights.
func (f *ngramFit) ofWords(vectors dense) dense {
	out := newDense(len(f.rows), vectors.width)
	for i, row := range f.rows {
		addScaled(out.row(i), vectors.row(row), f.weights[i])
	}
	return out
}

// mean returns the mean of the n-gram vectors of each word, times its weight.
func (f *ngramFit) mean(ngrams dense) dense {
	out := newDense(len(f.rows), ngrams.width)
	eachChunk(len(f.rows), func(_, from, to int) {
		for i := from; i < to; i++ {
			w := f.weights[i] / float32(len(f.buckets[i]))
			for _, b := range f.buckets[i] {
				addScaled(out.row(i), ngrams.row(b), w)
			}
		}
	})
	return out
}

// spread is the transpose of mean.
func (f *ngramFit) spread(words dense) dense {
	out := newDense(len(f.uses), words.width)
	eachChunk(len(f.uses), func(_, from, to int) {
		for b := from; b < to; b++ {
			for _, u := range f.uses[b] {
				addScaled(out.row(b), words.row(u.row), u.weight)
			}
		}
	})
	return out
}

// columnNorms returns the sums of the squares of the columns of all matrices,
// which have one width.
func columnNorms(matrices ...dense) []float64 {
	sums := make([]float64, matrices[0].width)
	for _, d := range matrices {
		for i := range d.rows() {
			for k, x := range d.row(i) {
				sums[k] += float64(x) * float64(x)
			}
		}
	}
	return sums
}

// ratios returns a[k]/b[k], 0 where b has nothing.
func ratios(a, b []float64) []float32 {
	out := make([]float32, len(a))
	for k := range a {
		if b[k] > math.SmallestNonzeroFloat32 {
			out[k] = float32(a[k] / b[k])
		}
	}
	return out
}

func constant(n int, x float32) []float32 {
	out := make([]float32, n)
	for k := range out {
		out[k] = x
	}
	return out
}
