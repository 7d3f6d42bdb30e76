package server

import (
	"encoding/binary"
	"net/http"
	"sort"
)

// A mapAnswer is the map without the documents.
type mapAnswer struct {
	Version   int64      `json:"version"`
	Landmarks []landmark `json:"landmarks"`
}

func (s *Server) getMap(_ *Run, w http.ResponseWriter, _ *http.Request) {
	v := s.watch.current()
	landmarks := v.landmarks
	if landmarks == nil {
		landmarks = []landmark{}
	}
	answer(w, mapAnswer{v.version, landmarks})
}

// getPoints answers with documents on the map after one, in the form that
// appendPoint says, behind eight bytes with their number.
func (s *Server) getPoints(_ *Run, w http.ResponseWriter, r *http.Request) {
	after, ok := number(w, r, "after", 0, 1<<62)
	if !ok {
		return
	}
	limit, ok := number(w, r, "limit", maxPoints, maxPoints)
	if !ok {
		return
	}
	body := s.watch.encodePoints(after, int(limit))
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = w.Write(body) // the client has gone
}

func (w *watch) encodePoints(after int64, limit int) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	first := sort.Search(len(w.points), func(i int) bool { return w.points[i].seq > after })
	points := w.points[first:]
	step := max(1, (len(points)+limit-1)/max(1, limit))
	body := make([]byte, 8, 8+pointBytes*(len(points)/step+1))
	n := uint64(0)
	for i := 0; i < len(points) && limit > 0; i += step {
		p := points[i]
		p.micro = w.lineage.MicroOf(p.micro)
		body = appendPoint(body, p)
		n++
	}
	binary.LittleEndian.PutUint64(body, n)
	return body
}

// A timeline is what came when.
type timeline struct {
	// Start is when the first stretch begins and Width how long each is, in
	// milliseconds; Counts are the documents in each.
	Start  float64     `json:"start"`
	Width  float64     `json:"width"`
	Counts []float64   `json:"counts"`
	Events []happening `json:"events"`
	// Sampled says that the counts of what was before the run are estimates.
	Sampled bool `json:"sampled"`
}

func (s *Server) getTimeline(_ *Run, w http.ResponseWriter, _ *http.Request) {
	answer(w, s.watch.timeline())
}

func (w *watch) timeline() timeline {
	w.mu.Lock()
	defer w.mu.Unlock()
	const most = 300
	t := timeline{
		Start: float64(w.history.origin) / 1e6, Width: float64(w.history.width) / 1e6,
		Counts: append([]float64{}, w.history.total...), Events: []happening{}, Sampled: w.sampled,
	}
	for _, e := range w.events[max(0, len(w.events)-most):] {
		e.Micros = nil
		t.Events = append(t.Events, e)
	}
	return t
}
