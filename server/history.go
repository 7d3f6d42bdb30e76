package server

import (
	"time"

	"starling"
)

// buckets is how many stretches of time a history is cut into.
const buckets = 512

// firstWidth is how long a stretch is at first. It doubles whenever they do not
// suffice, so that a history is bounded however long a stream is.
const firstWidth = 50 * time.Millisecond

// A history counts documents over time, as a whole and by micro-cluster.
type history struct {
	origin, width int64 // nanoseconds
	total         []float64
	micros        map[starling.MicroID][]float64
}

func newHistory() *history {
	return &history{width: int64(firstWidth), micros: make(map[starling.MicroID][]float64)}
}

// add counts a document, or more of which it is an example.
func (h *history) add(micro starling.MicroID, at time.Time, weight float64) {
	if at.IsZero() {
		return
	}
	now := at.UnixNano()
	if h.total == nil {
		h.origin = now - now%h.width
	}
	if now < h.origin {
		h.startAt(now)
	}
	for (now-h.origin)/h.width >= buckets {
		h.double()
	}
	i := int((now - h.origin) / h.width)
	h.total = count(h.total, i, weight)
	h.micros[micro] = count(h.micros[micro], i, weight)
}

// startAt has the history begin early enough for a time.
func (h *history) startAt(now int64) {
	for h.origin+(buckets-1)*h.width-now >= buckets*h.width {
		h.double()
	}
	shift := int((h.origin-now)/h.width) + 1
	h.origin -= int64(shift) * h.width
	h.total = shifted(h.total, shift)
	for id, counts := range h.micros {
		h.micros[id] = shifted(counts, shift)
	}
	for len(h.total) > buckets {
		h.double()
	}
}

func shifted(counts []float64, by int) []float64 {
	return append(make([]float64, by, by+len(counts)), counts...)
}

func count(counts []float64, i int, weight float64) []float64 {
	for len(counts) <= i {
		counts = append(counts, 0)
	}
	counts[i] += weight
	return counts
}

// double makes the stretches twice as long.
func (h *history) double() {
	if h.width > 1<<61 {
		return
	}
	h.width *= 2
	h.total = halved(h.total)
	for id, counts := range h.micros {
		h.micros[id] = halved(counts)
	}
}

func halved(counts []float64) []float64 {
	half := make([]float64, (len(counts)+1)/2)
	for i, n := range counts {
		half[i/2] += n
	}
	return half
}

// join has the documents of a micro-cluster count for another one.
func (h *history) join(from, to starling.MicroID) {
	counts := h.micros[from]
	for i, n := range counts {
		if n > 0 {
			h.micros[to] = count(h.micros[to], i, n)
		}
	}
	delete(h.micros, from)
}

// sparkBuckets is how many values a sparkline has.
const sparkBuckets = 32

// spark returns the counts of some micro-clusters over the time of the whole history,
// in few values.
func (h *history) spark(micros []starling.MicroID) []float64 {
	values := make([]float64, sparkBuckets)
	n := len(h.total)
	for _, id := range micros {
		for i, count := range h.micros[id] {
			values[i*sparkBuckets/max(n, 1)] += count
		}
	}
	return values
}

// trend says whether a sparkline grows or fades at its end.
func trend(spark []float64) string {
	const recent = sparkBuckets / 4
	var before, lately float64
	for i, n := range spark {
		if i < sparkBuckets-recent {
			before += n
		} else {
			lately += n
		}
	}
	mean := (before + lately) * recent / sparkBuckets
	switch {
	case before+lately < 4:
		return "steady"
	case lately > 1.6*mean:
		return "growing"
	case lately < 0.4*mean:
		return "fading"
	}
	return "steady"
}
