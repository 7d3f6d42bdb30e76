package server

import (
	"context"
	"maps"
	"sync"
	"time"

	"starling"
	"starling/lineage"
	"starling/store"
)

// A watch keeps what is shown of a stream beside the clusters themselves. It is safe
// for use by several goroutines.
type watch struct {
	mu      sync.Mutex
	lineage *lineage.Lineage
	history *history
	scatter *scatter
	points  []point
	// events are the last ones, oldest first.
	events []happening
	// counts counts the events since this process began.
	counts map[starling.EventKind]int64
	// last is the Seq of the last document, and changed counts what came.
	last, changed int64
	// fresh is what readers of events have not heard of yet.
	fresh freshNews
	// loading says that what was before is being read.
	loading bool
	// sampled says that of what was before only a sample was read.
	sampled bool
	view    *view
}

// A happening is an event and when it was.
type happening struct {
	Seq  int64     `json:"seq"`
	Time time.Time `json:"time,omitzero"`
	starling.Event
}

const (
	// maxEvents is how many events are kept.
	maxEvents = 5000
	// maxFrame bounds the documents and the events that readers hear of at a time.
	maxFrame = 150
)

type freshNews struct {
	points []point
	texts  []shownDocument
	events []happening
	joins  [][2]starling.MicroID
	passed int
}

func newWatch() *watch {
	return &watch{lineage: lineage.New(), history: newHistory(), scatter: newScatter(), view: new(view), counts: make(map[starling.EventKind]int64)}
}

// begin says where the documents are that there are.
func (w *watch) begin(places []store.Place) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.loading = true
	for _, p := range places {
		w.lineage.Place(p.Whole, p.Cluster)
	}
	for _, p := range places {
		if p.Whole != p.Micro {
			w.lineage.FollowEvent(starling.Event{Kind: starling.Joined, Into: p.Whole, To: p.Cluster, Micros: []starling.MicroID{p.Micro}})
		}
	}
}

// records takes in what became durable at a time.
func (w *watch) records(records []store.Record, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range records {
		if r.Time.IsZero() {
			r.Time = now
		}
		w.happen(r.Seq, r.Time, r.Events)
		w.lineage.Place(r.Micro, r.Cluster)
		w.history.add(r.Micro, r.Time, 1)
		p := w.scatter.point(r)
		w.points = append(w.points, p)
		w.fresh.add(p, r.Update)
		w.last = r.Seq
		w.changed++
	}
	if len(w.points) > maxPoints {
		w.points = thin(w.points)
	}
}

// add keeps some of what is new: the first ones, then every so many.
func (f *freshNews) add(p point, u starling.Update) {
	f.passed++
	if len(f.points) < maxFrame {
		f.points = append(f.points, p)
	}
	const maxTexts = 6
	if len(f.texts) == maxTexts {
		f.texts = f.texts[1:]
	}
	f.texts = append(f.texts, shown(u))
}

// edited takes in the events of an edit. The next document brings them again, which
// does no harm.
func (w *watch) edited(events []starling.Event, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.happen(w.last, now, events)
	w.changed++
}

// happen follows events.
func (w *watch) happen(seq int64, at time.Time, events []starling.Event) {
	for _, e := range events {
		w.lineage.FollowEvent(e)
		w.counts[e.Kind]++
		if e.Kind == starling.Joined {
			for _, from := range e.Micros {
				w.history.join(from, e.Into)
				w.scatter.join(from, e.Into)
				w.fresh.joins = append(w.fresh.joins, [2]starling.MicroID{from, e.Into})
			}
			continue
		}
		if !notable(e) {
			continue
		}
		h := happening{seq, at, e}
		w.events = append(w.events, h)
		if len(w.fresh.events) < maxFrame {
			w.fresh.events = append(w.fresh.events, h)
		}
	}
	if len(w.events) > 2*maxEvents {
		w.events = append([]happening(nil), w.events[len(w.events)-maxEvents:]...)
	}
}

// notable says whether people are told of an event: that one document became a
// cluster of its own mostly comes to nothing, and the lists show the others.
func notable(e starling.Event) bool {
	return e.Size > 1 || e.Kind != starling.Created && e.Kind != starling.Split
}

func (w *watch) eventCounts() map[starling.EventKind]int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.counts)
}

func (w *watch) changes() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.changed
}

const (
	// readBackDocuments is about how many documents of before are read: all of a small
	// state, and of a large one an even sample in pieces.
	readBackDocuments = 40_000
	pieceDocuments    = 256
)

// readBack reads what was before into history and map.
func (w *watch) readBack(ctx context.Context, st *store.Store) error {
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.loading = false
		w.changed++
	}()
	first, err := st.First(ctx)
	if err != nil {
		return err
	}
	last, err := st.Last(ctx)
	if err != nil {
		return err
	}
	pieces := (last - first + pieceDocuments) / pieceDocuments
	step := max(1, (pieces*pieceDocuments+readBackDocuments-1)/readBackDocuments)
	w.sample(step > 1)
	for piece := int64(0); piece < pieces; piece += step {
		after := first - 1 + piece*pieceDocuments
		records, err := readPiece(ctx, st, after, min(last, after+pieceDocuments))
		if err != nil {
			return err
		}
		w.remember(records, float64(step))
	}
	return nil
}

func (w *watch) sample(sampled bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sampled = sampled
}

// readPiece reads the documents after one, up to another.
func readPiece(ctx context.Context, st *store.Store, after, last int64) ([]store.Record, error) {
	var records []store.Record
	for record, err := range st.Journal(ctx, after) {
		if err != nil {
			return nil, err
		}
		if record.Seq > last {
			break
		}
		records = append(records, record)
		if record.Seq == last {
			break
		}
	}
	return records, nil
}

// remember takes in documents of before, each an example of weight many.
func (w *watch) remember(records []store.Record, weight float64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	older := make([]point, 0, len(records))
	var events []happening
	for _, r := range records {
		if r.Micro == 0 {
			continue
		}
		for _, e := range r.Events {
			if e.Kind != starling.Joined && notable(e) {
				events = append(events, happening{r.Seq, r.Time, e})
			}
		}
		r.Micro = w.lineage.MicroOf(r.Micro)
		w.history.add(r.Micro, r.Time, weight)
		older = append(older, w.scatter.point(r))
	}
	w.points = mergePoints(w.points, older)
	w.events = mergeEvents(w.events, events)
}
