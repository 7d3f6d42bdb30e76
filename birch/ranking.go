package birch

import "math"

// A ranking finds the least of several dissimilarities, seen once each, by their
// rough values. It keeps those that may be the least.
type ranking struct {
	// least is the smallest upper bound seen.
	least float64
	kept  []candidate
}

// A candidate may be the least: its dissimilarity is at least low.
type candidate struct {
	slot int32
	low  float64
}

func (r *ranking) reset() { r.least, r.kept = math.Inf(1), r.kept[:0] }

// see takes in one dissimilarity and the bound of its error.
func (r *ranking) see(slot int32, d, bound float64) {
	if d-bound <= r.least {
		r.kept = append(r.kept, candidate{slot, d - bound})
		r.least = min(r.least, d+bound)
	}
}

// first returns the slot with the least exact dissimilarity to x, of several
// the one that was seen first.
func (r *ranking) first(m measure, f *features, x *feature) int32 {
	open := r.kept[:0]
	for _, c := range r.kept {
		if c.low <= r.least {
			open = append(open, c)
		}
	}
	best := open[0].slot
	if len(open) == 1 {
		return best
	}
	least := math.Inf(1)
	for _, c := range open {
		entry := f.at(c.slot)
		if d := m.exact(x, &entry); d < least {
			least, best = d, c.slot
		}
	}
	return best
}
