package static

import (
	"cmp"
	"slices"

	"starling/vec"
)

// A Neighbour is a word and the cosine of its vector with another.
type Neighbour struct {
	Word   string
	Cosine float32
}

// Nearest returns the n words whose vectors are closest to that of word, which
// is not among them. It compares with all words, a few milliseconds' work.
func (m *WordModel) Nearest(word string, n int) ([]Neighbour, error) {
	target, err := m.WordVector(word)
	if err != nil {
		return nil, err
	}
	all := make([]Neighbour, 0, len(m.weights.Words))
	row := make([]float32, m.card.WordDim)
	for i, other := range m.weights.Words {
		clear(row)
		m.weights.Vectors.addRow(row, i, 1)
		if size := length(row); size > 0 && other != word {
			all = append(all, Neighbour{other, vec.Dot(row, target) / float32(size)})
		}
	}
	slices.SortStableFunc(all, func(a, b Neighbour) int { return cmp.Compare(b.Cosine, a.Cosine) })
	return all[:min(n, len(all))], nil
}
