package store

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"sync"

	"starling"
)

// defaultIndexEvery is how many documents are entered into the tables ids and
// members together. Entered in the order of the table, they touch each of its
// pages once, where one by one each would touch a page of its own.
const defaultIndexEvery = 8192

// An arrival is what the tables ids and members will hold of a document.
type arrival struct {
	id digest
	member
}

func newArrival(u starling.Update) arrival {
	return arrival{digestOf(u.ID), member{int64(u.Micro), u.Seq}}
}

func arrivals(records []Record) []arrival {
	all := make([]arrival, len(records))
	for i, r := range records {
		all[i] = newArrival(r.Update)
	}
	return all
}

func digestsOf(arrived []arrival) []digest {
	all := make([]digest, len(arrived))
	for i, a := range arrived {
		all[i] = a.id
	}
	return all
}

// waiting holds the durable documents that are not in the tables ids and
// members yet.
type waiting struct {
	mu       sync.RWMutex
	arrivals []arrival
	ids      map[digest]struct{}
}

// readWaiting finds the documents that are not indexed.
func (s *Store) readWaiting(ctx context.Context, p progress) (*waiting, error) {
	w := &waiting{ids: make(map[digest]struct{})}
	for update, err := range s.updatesBetween(ctx, s.readers, p.indexed+1, p.documents) {
		if err != nil {
			return nil, err
		}
		w.add([]arrival{newArrival(update)})
	}
	return w, nil
}

func (w *waiting) add(arrived []arrival) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.arrivals = append(w.arrivals, arrived...)
	for _, a := range arrived {
		w.ids[a.id] = struct{}{}
	}
}

func (w *waiting) clear() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.arrivals = w.arrivals[:0]
	clear(w.ids)
}

// erase takes documents that were deleted out of their micro-clusters. Their ids
// stay.
func (w *waiting) erase(seqs []int64) {
	if len(seqs) == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, a := range w.arrivals {
		if slices.Contains(seqs, a.seq) {
			w.arrivals[i].micro = 0
		}
	}
}

// micros returns the micro-clusters of what waits.
func (w *waiting) micros() map[int64]bool {
	w.mu.RLock()
	defer w.mu.RUnlock()
	all := make(map[int64]bool)
	for _, a := range w.arrivals {
		all[a.micro] = true
	}
	return all
}

func (w *waiting) has(id digest) bool {
	w.mu.RLock()
	defer w.mu.RUnlock()
	_, ok := w.ids[id]
	return ok
}

// digests returns those of what waits.
func (w *waiting) digests() []digest {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return slices.Collect(maps.Keys(w.ids))
}

// index enters what waits and what has arrived since into the tables, which
// hold indexed documents. Only the writer changes what waits, so nothing is
// missed.
func (w *waiting) index(ctx context.Context, tx *sql.Tx, path string, indexed int64, arrived []arrival) error {
	all := slices.Concat(w.arrivals, arrived)
	if err := newEntry(indexed, all).write(ctx, tx, path); err != nil {
		return err
	}
	return enterMembers(ctx, tx, path, all)
}
