package train

import (
	"context"
	"math"
	"math/rand/v2"
)

// contrast moves the vectors of words so that the two halves of a text find
// each other among the halves of other texts. A half is the sum of its words'
// vectors, scaled to length one; the loss is the cross entropy of the right half
// under the softmax of the cosines over a temperature, from either side (van den
// Oord, Li and Vinyals, "Representation learning with contrastive predictive
// coding", 2018, equation 4). So a word's vector comes to hold, in direction and
// length, what the word says of the text around it.
//
// The steps are Adagrad's (Duchi, Hazan and Singer 2011), with one size for all
// values of a word, and fall to nothing at the end.
func contrast(ctx context.Context, vectors dense, deck *deck, c Config, done func(steps int)) error {
	b := newBatch(vectors, c.Batch)
	squares := make([]float64, vectors.rows())
	for i := range c.Steps {
		random := rand.New(rand.NewPCG(c.Seed, uint64(i)+1))
		for k := range b.halves[0] {
			deck.deal(random, &b.halves[0][k], &b.halves[1][k])
		}
		b.embed(vectors)
		b.compare(c.Temperature)
		b.backward()
		b.update(vectors, squares, c.Rate*float64(c.Steps-i)/float64(c.Steps))
		done(i + 1)
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// A batch holds pairs of halves, and what a step works with. A side is one half
// of each pair.
type batch struct {
	halves  [2][][]int32
	lengths [2][]float64 // of the sums
	// sides holds the sums scaled to length one, columns the same transposed.
	sides, columns [2]dense
	// slopes[s] holds how the loss changes with the sums of side s.
	slopes [2]dense
	// cosines of row i of side 0 and row j of side 1; compare replaces them with
	// how the loss changes with them. turned is the same transposed.
	cosines, turned dense
}

func newBatch(vectors dense, pairs int) *batch {
	b := &batch{cosines: newDense(pairs, pairs), turned: newDense(pairs, pairs)}
	for s := range 2 {
		b.halves[s] = make([][]int32, pairs)
		b.lengths[s] = make([]float64, pairs)
		b.sides[s] = newDense(pairs, vectors.width)
		b.slopes[s] = newDense(pairs, vectors.width)
		b.columns[s] = newDense(vectors.width, pairs)
	}
	return b
}

// embed sums the words of each half.
func (b *batch) embed(vectors dense) {
	for s, side := range b.sides {
		eachRow(side.rows(), func(i int) {
			row := side.row(i)
			clear(row)
			for _, id := range b.halves[s][i] {
				addScaled(row, vectors.row(int(id)), 1)
			}
			b.lengths[s][i] = max(length(row), 1e-12)
			stretch(row, 1/b.lengths[s][i])
		})
		b.columns[s].transpose(side)
	}
}

// compare takes the cosines and finds how the loss changes with them.
func (b *batch) compare(temperature float64) {
	n := b.cosines.rows()
	b.cosines.products(b.sides[0], b.sides[1])
	rows, columns := make([]float64, n), make([]float64, n)
	eachRow(n, func(i int) {
		for j, x := range b.cosines.row(i) {
			e := math.Exp((float64(x) - 1) / temperature)
			b.cosines.row(i)[j] = float32(e)
			rows[i] += e
		}
	})
	for i := range n {
		for j, e := range b.cosines.row(i) {
			columns[j] += float64(e)
		}
	}
	scale := 1 / (2 * temperature * float64(n))
	eachRow(n, func(i int) {
		row := b.cosines.row(i)
		for j, e := range row {
			row[j] = float32(float64(e) * (1/rows[i] + 1/columns[j]) * scale)
		}
		row[i] -= float32(2 * scale)
	})
	b.turned.transpose(b.cosines)
}

// backward finds how the loss changes with the sums, before they were scaled.
func (b *batch) backward() {
	b.slopes[0].products(b.cosines, b.columns[1])
	b.slopes[1].products(b.turned, b.columns[0])
	for s, slopes := range b.slopes {
		eachRow(slopes.rows(), func(i int) {
			slope, unit := slopes.row(i), b.sides[s].row(i)
			along := 0.0
			for k, x := range unit {
				along += float64(float64(slope[k]) * float64(x))
			}
			addScaled(slope, unit, float32(-along))
			stretch(slope, 1/b.lengths[s][i])
		})
	}
}

// update moves the vector of every word of the batch. squares holds, for each
// word, the mean squares of its slopes so far.
func (b *batch) update(vectors dense, squares []float64, rate float64) {
	uses := b.uses()
	eachRow(len(uses.starts)-1, func(i int) {
		slope := make([]float32, vectors.width)
		of := uses.of[uses.starts[i]:uses.starts[i+1]]
		for _, u := range of {
			addScaled(slope, b.slopes[u.side].row(int(u.row)), 1)
		}
		word := of[0].word
		size := length(slope)
		squares[word] += float64(size*size) / float64(len(slope))
		if squares[word] > 0 {
			addScaled(vectors.row(int(word)), slope, float32(-rate/math.Sqrt(squares[word])))
		}
	})
}

func stretch(row []float32, by float64) {
	for k, x := range row {
		row[k] = float32(float64(x) * by)
	}
}
