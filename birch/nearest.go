package birch

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"starling/vec"
)

// A Neighbour is a leaf entry near a vector.
type Neighbour struct {
	ID ID
	// Similarity is the cosine of the vector and the entry's centroid, 0 if
	// either is zero.
	Similarity float64
	// Distance is the Euclidean distance of the vector from the centroid.
	Distance float64
}

// Nearest returns the k leaf entries nearest to x, or all if there are fewer: by
// similarity with Criterion Cosine and else by the distance of the centroids, best
// first, of equally near ones that with the smaller id first. All entries are
// compared. x may be what Insert takes; k is at least 1.
func (t *Tree) Nearest(x []float32, k int) ([]Neighbour, error) {
	if k < 1 {
		return nil, fmt.Errorf("looking for nearest entries: %d of them, want at least 1", k)
	}
	f, err := t.vector(x, make([]float64, len(x)))
	if err != nil {
		return nil, fmt.Errorf("looking for nearest entries: vector: %w", err)
	}
	k = min(k, t.Len())
	if k == 0 {
		return nil, nil
	}
	near := t.neighbours(&f, t.mayBeNearest(&f, k))
	slices.SortFunc(near, t.nearer)
	return near[:k], nil
}

// mayBeNearest returns the slots of the entries that the error of float32 leaves
// in the running for the k nearest, at least k of them.
func (t *Tree) mayBeNearest(x *feature, k int) []int32 {
	dots := make([]float32, t.Len())
	vec.DotRows(dots, t.entries.rows, x.row)
	highs := make([]float64, 0, k+1) // the k least upper bounds, ascending
	lows := make([]float64, len(dots))
	for slot, dot := range dots {
		d, bound := t.measure.roughSeparation(dot, &x.moments, &t.entries.moments[slot])
		lows[slot] = d - bound
		if high := d + bound; len(highs) < k || high < highs[k-1] {
			place, _ := slices.BinarySearch(highs, high)
			highs = slices.Insert(highs, place, high)
			highs = highs[:min(k, len(highs))]
		}
	}
	var slots []int32
	for slot, low := range lows {
		if low <= highs[k-1] {
			slots = append(slots, int32(slot))
		}
	}
	return slots
}

func (t *Tree) neighbours(x *feature, slots []int32) []Neighbour {
	near := make([]Neighbour, len(slots))
	for i, slot := range slots {
		entry := t.entries.at(slot)
		near[i] = Neighbour{
			ID:         t.entries.ids[slot],
			Similarity: cosine(x, &entry),
			Distance:   math.Sqrt(vec.Distance64(x.mean, entry.mean)),
		}
	}
	return near
}

// nearer orders neighbours, the better first.
func (t *Tree) nearer(a, b Neighbour) int {
	if t.config.Criterion == Cosine {
		return cmp.Or(cmp.Compare(b.Similarity, a.Similarity), cmp.Compare(a.ID, b.ID))
	}
	return cmp.Or(cmp.Compare(a.Distance, b.Distance), cmp.Compare(a.ID, b.ID))
}
