package train

import (
	"math"
	"unicode"

	"starling/embed/static"
)

// fitNgrams returns a vector for each of n buckets of character n-grams such
// that the mean of a word's n-gram vectors is close to the word's own: least
// squares by conjugate gradients (Hestenes and Stiefel 1952, the variant for
// the normal equations), for all columns at once. Words that nobody has seen
// then get the mean of theirs (Zhao, Mudgal and Liang, "Generalizing word
// embeddings using bag of subwords", 2018).
func fitNgrams(words []string, vectors dense, n int, done func(steps int)) dense {
	f := newNgramFit(words, n)
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
	ngramSteps = 15
	// ridge is what the squares of the solution count beside those of the errors.
	ridge = 0.01
)

// An ngramFit holds the buckets of the words that have letters.
type ngramFit struct {
	rows    []int   // of the vectors
	buckets [][]int // of each of them
	uses    [][]use // of each bucket, so that sums have one order
}

type use struct {
	row    int // in rows
	weight float32
}

func newNgramFit(words []string, n int) *ngramFit {
	f := &ngramFit{uses: make([][]use, n)}
	for i, word := range words {
		if !hasLetter(word) {
			continue
		}
		buckets := static.Buckets(word, n)
		for _, b := range buckets {
			f.uses[b] = append(f.uses[b], use{len(f.rows), 1 / float32(len(buckets))})
		}
		f.rows = append(f.rows, i)
		f.buckets = append(f.buckets, buckets)
	}
	return f
}

func hasLetter(word string) bool {
	for _, r := range word {
		if unicode.IsLetter(r) {
			return true
		}
	}
	return false
}

func (f *ngramFit) ofWords(vectors dense) dense {
	out := newDense(len(f.rows), vectors.width)
	for i, row := range f.rows {
		copy(out.row(i), vectors.row(row))
	}
	return out
}

// mean returns the mean of the n-gram vectors of each word.
func (f *ngramFit) mean(ngrams dense) dense {
	out := newDense(len(f.rows), ngrams.width)
	eachChunk(len(f.rows), func(_, from, to int) {
		for i := from; i < to; i++ {
			w := 1 / float32(len(f.buckets[i]))
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
