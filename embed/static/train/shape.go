package train

import (
	"math"

	"starling/embed/static"
)

// shape turns eigenvectors into the vectors of words: each coordinate times a
// power of its eigenvalue (Levy, Goldberg and Dagan 2015, section 3.3), each
// vector to length one, what all texts have in common taken away, and each
// vector times the weight of its word.
func shape(vectors dense, eigenvalues []float64, v *vocabulary, sources [][]text, c Config) {
	for i := range vectors.rows() {
		for k, x := range vectors.row(i) {
			vectors.row(i)[k] = float32(float64(x) * math.Pow(math.Abs(eigenvalues[k]/eigenvalues[0]), c.Power))
		}
	}
	vectors.scaled(func(_ int, row []float32) float64 { return 1 / max(length(row), 1e-30) })
	weigh := func(i int, _ []float32) float64 { return static.WordWeight(v.shares[i]) }
	vectors.scaled(weigh)
	removeCommon(vectors, sampled(sources))
}

// sampledTexts is how many texts of each source are looked at.
const sampledTexts = 1500

// sampled returns texts spread evenly over each source, cut to the length of
// short ones.
func sampled(sources [][]text) []text {
	var sample []text
	for _, texts := range sources {
		step := max(1, len(texts)/sampledTexts)
		for i := 0; i < len(texts); i += step {
			if words := texts[i]; len(words) >= 4 {
				sample = append(sample, words[:min(len(words), 50)])
			}
		}
	}
	return sample
}

// removeCommon takes away the direction that the texts, as sums of the vectors
// of their words, have in common: their first principal component, uncentred
// (Arora, Liang and Ma 2017, algorithm 1). Removing it from the vectors of words
// removes it from every sum of them.
func removeCommon(vectors dense, texts []text) {
	sums := newDense(len(texts), vectors.width)
	eachChunk(len(texts), func(_, from, to int) {
		for i := from; i < to; i++ {
			for _, id := range texts[i] {
				if id >= 0 {
					addScaled(sums.row(i), vectors.row(int(id)), 1)
				}
			}
		}
	})
	sums.scaled(func(_ int, row []float32) float64 { return 1 / max(length(row), 1e-30) })
	_, components := eigen(gram(sums, sums))
	common := make([]float32, vectors.width)
	for k := range common {
		common[k] = float32(components[k][0])
	}
	eachChunk(vectors.rows(), func(_, from, to int) {
		for i := from; i < to; i++ {
			dot := float32(0)
			for k, x := range vectors.row(i) {
				dot += float32(x * common[k])
			}
			addScaled(vectors.row(i), common, -dot)
		}
	})
}
