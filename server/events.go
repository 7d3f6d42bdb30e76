package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"starling"
)

// A frame is what readers of events hear of every so often: how the run is doing, and
// what is new, bounded.
type frame struct {
	// Seq is the last document's.
	Seq    int64  `json:"seq"`
	Status status `json:"status"`
	// New is how many documents came, Points some of them as
	// [seq, micro, milliseconds, x, y, similarity], Texts the last few.
	New    int             `json:"new"`
	Points [][6]float64    `json:"points"`
	Texts  []shownDocument `json:"texts"`
	Events []happening     `json:"events"`
	// Joins are micro-clusters that became part of others, as [from, into].
	Joins [][2]starling.MicroID `json:"joins"`
}

// frame returns what is new, which is not new any more then.
func (w *watch) frame(st status) frame {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := frame{Seq: w.last, Status: st, New: w.fresh.passed, Points: [][6]float64{}, Texts: []shownDocument{}, Events: []happening{}}
	for _, p := range w.fresh.points {
		micro := w.lineage.MicroOf(p.micro)
		f.Points = append(f.Points, [6]float64{float64(p.seq), float64(micro), float64(p.time), hundredth(p.x), hundredth(p.y), hundredth(p.similarity)})
	}
	f.Texts = append(f.Texts, w.fresh.texts...)
	f.Events = append(f.Events, w.fresh.events...)
	f.Joins = append([][2]starling.MicroID{}, w.fresh.joins...)
	w.fresh = freshNews{}
	return f
}

func hundredth(x float32) float64 { return round(float64(x)) }

const (
	// maxReaders bounds the readers of events, maxFollowing those of every update.
	maxReaders, maxFollowing = 1000, 16
	// readerRoom is how many frames a reader may be behind before it is dropped.
	readerRoom = 16
	// readerPatience bounds one write to a reader.
	readerPatience = 10 * time.Second
)

// A hub hands frames to readers. One that cannot keep up is dropped; it comes back
// with the last id it saw.
type hub struct {
	mu      sync.Mutex
	readers map[chan []byte]bool
	closed  bool
	said    time.Time
}

func newHub() *hub { return &hub{readers: make(map[chan []byte]bool)} }

func (h *hub) join() (chan []byte, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || len(h.readers) >= maxReaders {
		return nil, false
	}
	reader := make(chan []byte, readerRoom)
	h.readers[reader] = true
	return reader, true
}

func (h *hub) leave(reader chan []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.readers, reader)
}

func (h *hub) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.readers)
}

// send hands a frame to all readers, encoded once.
func (h *hub) send(f frame) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.readers) == 0 || f.New == 0 && len(f.Events) == 0 && time.Since(h.said) < time.Second {
		return
	}
	h.said = time.Now()
	message := message("frame", f.Seq, f)
	for reader := range h.readers {
		select {
		case reader <- message:
		default: // too slow
			delete(h.readers, reader)
			close(reader)
		}
	}
}

func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for reader := range h.readers {
		close(reader)
	}
	clear(h.readers)
}

// message is one server-sent event.
func message(kind string, seq int64, value any) []byte {
	data, err := json.Marshal(value)
	if err != nil {
		panic("server: " + err.Error()) // values of this package can be encoded
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "id: %d\nevent: %s\ndata: %s\n\n", seq, kind, data)
	return b.Bytes()
}

// getEvents streams server-sent events: frames or, with of=updates, every update from
// the journal. Last-Event-ID or the parameter after say where to go on.
func (s *Server) getEvents(run *Run, w http.ResponseWriter, r *http.Request) {
	after, resumed, ok := resumeAt(w, r)
	if !ok {
		return
	}
	switch r.URL.Query().Get("of") {
	case "", "frames":
	case "updates":
		s.streamUpdates(run, w, r, after)
		return
	default:
		problem(w, http.StatusBadRequest, "bad-request", "The parameter of must be frames or updates.")
		return
	}
	reader, ok := s.hub.join()
	if !ok {
		w.Header().Set("Retry-After", "10")
		problem(w, http.StatusServiceUnavailable, "too-many", "Too many readers of events.")
		return
	}
	defer s.hub.leave(reader)
	out := startEvents(w)
	hello := s.watch.since(after, resumed, s.status(run))
	if out.send(message("frame", hello.Seq, hello)) != nil {
		return
	}
	for {
		select {
		case <-r.Context().Done():
			return
		case m, open := <-reader:
			if !open || out.send(m) != nil {
				return
			}
		}
	}
}

// since returns what a reader missed that comes back, as far as it is kept: no point
// that is not on the map any more.
func (w *watch) since(after int64, resumed bool, st status) frame {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := frame{Seq: w.last, Status: st, Points: [][6]float64{}, Texts: []shownDocument{}, Events: []happening{}, Joins: [][2]starling.MicroID{}}
	if !resumed {
		return f
	}
	f.New = int(max(0, w.last-after))
	for i := len(w.events) - 1; i >= 0 && w.events[i].Seq > after && len(f.Events) < maxFrame; i-- {
		f.Events = append([]happening{w.events[i]}, f.Events...)
	}
	return f
}

func resumeAt(w http.ResponseWriter, r *http.Request) (after int64, resumed, ok bool) {
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		after, err := strconv.ParseInt(last, 10, 64)
		if err != nil || after < 0 {
			problem(w, http.StatusBadRequest, "bad-request", "Last-Event-ID must be the number of a document.")
			return 0, false, false
		}
		return after, true, true
	}
	after, ok = number(w, r, "after", -1, 1<<62)
	return after, after >= 0, ok
}

// An eventWriter writes to one reader.
type eventWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

func startEvents(w http.ResponseWriter) eventWriter {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	out := eventWriter{w, http.NewResponseController(w)}
	_ = out.control.SetReadDeadline(time.Time{}) // not every connection has deadlines
	return out
}

func (e eventWriter) send(message []byte) error {
	_ = e.control.SetWriteDeadline(time.Now().Add(readerPatience)) // not every connection has deadlines
	if _, err := e.w.Write(message); err != nil {
		return err
	}
	return e.control.Flush()
}

// unhurried lets an answer take as long as it takes.
func unhurried(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) // not every connection has deadlines
}

// streamUpdates sends every update after one, from the journal.
func (s *Server) streamUpdates(run *Run, w http.ResponseWriter, r *http.Request, after int64) {
	select {
	case s.following <- struct{}{}:
		defer func() { <-s.following }()
	default:
		w.Header().Set("Retry-After", "10")
		problem(w, http.StatusServiceUnavailable, "too-many", "Too many readers of every update.")
		return
	}
	wake, ok := s.hub.join()
	if !ok {
		problem(w, http.StatusServiceUnavailable, "too-many", "Too many readers of events.")
		return
	}
	defer s.hub.leave(wake)
	if after < 0 {
		after, _ = run.Store.Last(r.Context()) // with an error, from the first one on
	}
	out := startEvents(w)
	if out.send([]byte(": updates\n\n")) != nil {
		return
	}
	for {
		next, err := sendUpdates(r.Context(), run, out, after)
		if err != nil {
			return
		}
		if next > after {
			after = next
			continue
		}
		select {
		case <-r.Context().Done():
			return
		case _, open := <-wake:
			if !open {
				return
			}
		}
	}
}

// sendUpdates sends some updates after one, and returns the last one's number.
func sendUpdates(ctx context.Context, run *Run, out eventWriter, after int64) (int64, error) {
	updates, err := run.Store.Updates(ctx, after, 256)
	if err != nil {
		return after, err
	}
	var all []byte
	for _, u := range updates {
		all = append(all, message("update", u.Seq, u)...)
		after = u.Seq
	}
	if all == nil {
		return after, nil
	}
	return after, out.send(all)
}
