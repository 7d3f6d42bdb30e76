package train

import (
	"context"
	"math"
	"slices"
	"sync"
	"sync/atomic"
)

// A sparse matrix has the same number of rows and columns and is symmetric.
type sparse struct {
	columns [][]int32 // of each row, ascending
	values  [][]float32
}

// An occurrence is a place in the corpus where a word stands.
type occurrence struct {
	source, text, place int32
}

// cooccurrences returns how often two words stand near each other: for every
// pair of them at most window words apart, one divided by the distance, times
// what a token of the source counts.
//
// Row by row it walks the occurrences of a word, so that each number is summed
// in one order whatever the number of cores.
func cooccurrences(ctx context.Context, sources [][]text, v *vocabulary, window int, done func(rows int)) (*sparse, error) {
	where := occurrences(sources, len(v.words))
	m := &sparse{make([][]int32, len(where)), make([][]float32, len(where))}
	rows := sync.Pool{New: func() any { return &row{sums: make([]float32, len(where))} }}
	var counted atomic.Int64
	return m, parallel(len(where), func(i int) error {
		r := rows.Get().(*row)
		defer rows.Put(r)
		for _, o := range where[i] {
			r.add(sources[o.source][o.text], int(o.place), window, float32(v.scales[o.source]))
		}
		m.columns[i], m.values[i] = r.take()
		where[i] = nil
		done(int(counted.Add(1)))
		return ctx.Err()
	})
}

// occurrences lists where each of n words stands.
func occurrences(sources [][]text, n int) [][]occurrence {
	counts := make([]int, n)
	each := func(use func(id, source, text, place int)) {
		for s, texts := range sources {
			for t, words := range texts {
				for place, id := range words {
					if id >= 0 {
						use(int(id), s, t, place)
					}
				}
			}
		}
	}
	each(func(id, _, _, _ int) { counts[id]++ })
	where := make([][]occurrence, n)
	for id, count := range counts {
		where[id] = make([]occurrence, 0, count)
	}
	each(func(id, s, t, place int) {
		where[id] = append(where[id], occurrence{int32(s), int32(t), int32(place)})
	})
	return where
}

// A row sums one row of the matrix.
type row struct {
	sums    []float32
	columns []int32 // where sums is not zero
}

// add adds the words around a place.
func (r *row) add(words text, place, window int, scale float32) {
	for other := max(0, place-window); other <= min(len(words)-1, place+window); other++ {
		id := words[other]
		if id < 0 || other == place {
			continue
		}
		distance := place - other
		if distance < 0 {
			distance = -distance
		}
		if r.sums[id] == 0 {
			r.columns = append(r.columns, id)
		}
		r.sums[id] += scale / float32(distance)
	}
}

// take returns the row and clears it.
func (r *row) take() ([]int32, []float32) {
	slices.Sort(r.columns)
	columns := slices.Clone(r.columns)
	values := make([]float32, len(columns))
	for i, id := range columns {
		values[i] = r.sums[id]
		r.sums[id] = 0
	}
	r.columns = r.columns[:0]
	return columns, values
}

// informative turns co-occurrences into positive pointwise mutual information
// and drops the pairs where it is not positive:
//
//	log(n(i,j) N / (n(i)^s n(j)^s / (sum n^s)^2 N^2))
//
// The exponent s < 1 makes rare words less surprising (Levy, Goldberg and
// Dagan, "Improving distributional similarity with lessons learned from word
// embeddings", 2015, section 3; here on both sides, which keeps the matrix
// symmetric).
func (m *sparse) informative(smoothing float64) {
	n := len(m.values)
	logs := make([]float64, n) // of the smoothed count
	total, smoothed := 0.0, 0.0
	for i, values := range m.values {
		sum := 0.0
		for _, x := range values {
			sum += float64(x)
		}
		total += sum
		logs[i] = smoothing * math.Log(sum)
		smoothed += math.Pow(sum, smoothing)
	}
	constant := 2*math.Log(smoothed) - math.Log(total)
	eachChunk(n, func(_, from, to int) {
		for i := from; i < to; i++ {
			m.keepPositive(i, func(j int32, x float32) float64 {
				return math.Log(float64(x)) - logs[i] - logs[j] + constant
			})
		}
	})
}

// keepPositive replaces the values of row i and keeps those above zero.
func (m *sparse) keepPositive(i int, value func(column int32, x float32) float64) {
	kept := 0
	columns, values := m.columns[i], m.values[i]
	for k, j := range columns {
		if x := value(j, values[k]); x > 0 {
			columns[kept], values[kept] = j, float32(x)
			kept++
		}
	}
	m.columns[i], m.values[i] = slices.Clone(columns[:kept]), slices.Clone(values[:kept])
}

// times sets y to the product of m and x.
func (m *sparse) times(y, x dense) {
	eachChunk(len(m.columns), func(_, from, to int) {
		for i := from; i < to; i++ {
			row := y.row(i)
			clear(row)
			for k, j := range m.columns[i] {
				addScaled(row, x.row(int(j)), m.values[i][k])
			}
		}
	})
}
