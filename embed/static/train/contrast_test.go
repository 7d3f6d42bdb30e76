package train

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

const temperature = 0.2

// loss is the cross entropy of the pairs, written down anew in double precision.
func loss(vectors dense, halves [2][][]int32) float64 {
	sides := [2][][]float64{}
	for s, side := range halves {
		for _, half := range side {
			sum, squares := make([]float64, vectors.width), 0.0
			for _, id := range half {
				for k, x := range vectors.row(int(id)) {
					sum[k] += float64(x)
				}
			}
			for _, x := range sum {
				squares += x * x
			}
			for k := range sum {
				sum[k] /= math.Sqrt(squares)
			}
			sides[s] = append(sides[s], sum)
		}
	}
	total := 0.0
	for i := range sides[0] {
		for s := range 2 {
			all := 0.0
			for j := range sides[0] {
				all += math.Exp(product(sides[s][i], sides[1-s][j]) / temperature)
			}
			total += math.Log(all) - product(sides[0][i], sides[1][i])/temperature
		}
	}
	return total / 2 / float64(len(sides[0]))
}

func product(a, b []float64) float64 {
	sum := 0.0
	for k, x := range a {
		sum += x * b[k]
	}
	return sum
}

// dealt returns a batch of halves of random words.
func dealt(random *rand.Rand, vectors dense, pairs int) *batch {
	b := newBatch(vectors, pairs)
	for s := range 2 {
		for i := range pairs {
			for range 1 + random.IntN(4) {
				b.halves[s][i] = append(b.halves[s][i], int32(random.IntN(vectors.rows())))
			}
		}
	}
	return b
}

func randomVectors(random *rand.Rand, rows, width int) dense {
	d := newDense(rows, width)
	for i := range d.values {
		d.values[i] = float32(random.NormFloat64())
	}
	return d
}

func TestSlopesAreThoseOfTheLoss(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	vectors := randomVectors(random, 9, 5)
	b := dealt(random, vectors, 7)
	b.embed(vectors)
	b.compare(temperature)
	b.backward()
	const h = 1e-2
	for word := range vectors.rows() {
		for k := range vectors.width {
			got := 0.0
			for s, side := range b.halves {
				for i, half := range side {
					for _, id := range half {
						if int(id) == word {
							got += float64(b.slopes[s].row(i)[k])
						}
					}
				}
			}
			x := &vectors.row(word)[k]
			was := *x
			*x = was + h
			above := loss(vectors, b.halves)
			*x = was - h
			below := loss(vectors, b.halves)
			*x = was
			if want := (above - below) / (2 * h); math.Abs(got-want) > 1e-3 {
				t.Errorf("word %d, value %d: slope %.5f, want %.5f", word, k, got, want)
			}
		}
	}
}

func TestStepsLowerTheLoss(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	vectors := randomVectors(random, 60, 16)
	b := dealt(random, vectors, 20)
	before := loss(vectors, b.halves)
	squares := make([]float64, vectors.rows())
	for range 100 {
		b.embed(vectors)
		b.compare(temperature)
		b.backward()
		b.update(vectors, squares, 0.05)
	}
	if after := loss(vectors, b.halves); after > before/4 {
		t.Errorf("the loss went from %.3f to %.3f only", before, after)
	}
}

func TestATextIsDealtToTwoHalves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfNDistinct(rapid.Int32Range(-1, 500), 0, 80, func(id int32) int32 { return id }).Draw(t, "words")
		known := slices.DeleteFunc(slices.Clone(words), func(id int32) bool { return id < 0 })
		d := newDeck([][]text{{words}, {}}, []float64{0.5, 1})
		if d.texts() == 0 {
			if len(known) >= shortestDealt {
				t.Fatalf("a text of %d words is not in the deck", len(known))
			}
			return
		}
		var first, second []int32
		d.deal(rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)), &first, &second)
		if n := len(first) - len(second); n < 0 || n > 1 {
			t.Fatalf("halves of %d and %d words", len(first), len(second))
		}
		all := slices.Sorted(slices.Values(slices.Concat(first, second)))
		if want := min(len(known), longestDealt); len(slices.Compact(all)) != want {
			t.Fatalf("%d words were dealt once, want %d", len(slices.Compact(all)), want)
		}
		for _, id := range all {
			if !slices.Contains(known, id) {
				t.Fatalf("word %d is not of the text", id)
			}
		}
	})
}
