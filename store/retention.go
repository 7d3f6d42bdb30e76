package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"starling"
)

// A Retention says which documents may leave a state: the oldest ones, in the
// order they came. With both Documents and Before set, those leave of which
// either says so. Its zero value has none leave.
type Retention struct {
	// Documents is how many of the newest stay; 0 for all.
	Documents int64
	// Before has documents leave whose time lies before it; zero for none. One
	// without a time, or with one after Now, leaves with those around it.
	Before, Now time.Time
	// Unpublished has documents leave whose updates were not published. They
	// never are then.
	Unpublished bool
}

// trimAtATime is how many documents leave in one transaction at most, so that
// commits do not wait long for it.
const trimAtATime = 512

// Trim has some of the documents leave that may leave, and returns how many; less
// than that is left to be done when it returns 0. Their rows are deleted, and
// SQLite writes new ones in their place. Their ids stay known, and the clustering
// is not touched.
//
// Whatever a retention says, the documents since the snapshot before the newest
// stay, so that the state can be brought back even when the newest is damaged, and
// those that the table of ids does not hold yet.
//
// Trim does not wait for the disk. A power cut may undo it, which the next call
// mends.
func (s *Store) Trim(ctx context.Context, r Retention) (int64, error) {
	if s.writer == nil {
		return 0, fmt.Errorf("trimming: %w", ErrReadOnly)
	}
	s.writer.mu.Lock()
	defer s.writer.mu.Unlock()
	n, err := s.writer.trim(ctx, r)
	return n, explain(s.path, "trimming", err)
}

func (w *writer) trim(ctx context.Context, r Retention) (int64, error) {
	next, hand := w.progress, w.hand
	last, err := w.mayLeave(context.WithoutCancel(ctx), r) // see transact
	if err != nil || last <= next.dropped {
		return 0, err
	}
	next.dropped = last
	err = w.transactUnsynced(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec("DELETE FROM documents WHERE seq <= ?", next.dropped); err != nil {
			return err
		}
		if hand, err = w.sweep(ctx, tx, next); err != nil {
			return err
		}
		return next.write(tx)
	})
	if err != nil {
		return 0, err
	}
	n := next.dropped - w.progress.dropped
	w.progress, w.hand = next, hand
	return n, nil
}

// mayLeave returns the last document that may leave now.
func (w *writer) mayLeave(ctx context.Context, r Retention) (int64, error) {
	p := w.progress
	last := min(p.indexed, p.dropped+trimAtATime)
	if !r.Unpublished {
		last = min(last, p.published)
	}
	if p.snapshots < keptSnapshots || last <= p.dropped {
		return p.dropped, nil
	}
	replayed, err := queryInt(ctx, w.db, w.path, "SELECT coalesce(min(seq), 0) FROM snapshots")
	if err != nil {
		return 0, err
	}
	last = min(last, replayed)
	leaving := p.dropped
	if r.Documents > 0 {
		leaving = min(last, p.documents-r.Documents)
	}
	if r.Before.IsZero() || leaving == last {
		return leaving, nil
	}
	old, err := w.lastBefore(ctx, r, last)
	return max(leaving, old), err
}

// lastBefore returns the last of the first documents, up to the one numbered
// last, whose time lies before that of the retention. They end at one whose time
// does not.
func (w *writer) lastBefore(ctx context.Context, r Retention, last int64) (int64, error) {
	before, now := r.Before.UnixNano(), r.Now.UnixNano()
	young, err := queryInt(ctx, w.db, w.path, "SELECT coalesce((SELECT seq FROM documents WHERE seq BETWEEN ? AND ? AND "+
		"time BETWEEN ? AND ? ORDER BY seq LIMIT 1), ?)", w.progress.dropped+1, last, before, now, last+1)
	if err != nil {
		return 0, err
	}
	return queryInt(ctx, w.db, w.path, "SELECT coalesce(max(seq), 0) FROM documents WHERE seq BETWEEN ? AND ? AND time < ?",
		w.progress.dropped+1, young-1, before)
}

// The rows in members of documents that left lie all over the table. So they
// leave later: a hand goes round the micro-clusters, and has them and
// micro-clusters that no document is in any more leave where it passes. One round
// goes by while as many documents leave as half of those that stay, and some: so
// a row in members stays that long at most, and a page is written once a round.
const (
	roundAtLeast = 8192

	selectStale = "SELECT micros.micro, members.seq FROM micros CROSS JOIN members ON members.micro = micros.micro " +
		"AND members.seq <= ?1 WHERE micros.micro > ?2 AND micros.micro <= ?3"
	deleteStale = "DELETE FROM members WHERE micro = ? AND seq <= ?"

	selectEmpty = "SELECT micro, 0 FROM micros WHERE micro > ?2 AND micro <= ?3 AND members = 0 " +
		"AND NOT EXISTS (SELECT 1 FROM members WHERE members.micro = micros.micro AND seq > ?1) " +
		"AND NOT EXISTS (SELECT 1 FROM micros AS part WHERE part.part_of = micros.micro)"
	deleteMicro = "DELETE FROM micros WHERE micro = ?"
)

// sweep moves the hand on, and returns where it is then.
func (w *writer) sweep(ctx context.Context, tx *sql.Tx, next progress) (int64, error) {
	last, err := queryInt(ctx, tx, w.path, "SELECT coalesce(max(micro), 0) FROM micros")
	if err != nil {
		return 0, err
	}
	from := w.hand
	if from >= last {
		from = 0
	}
	round := (next.documents-next.dropped)/2 + roundAtLeast
	to := from + (next.dropped-w.progress.dropped)*last/round + 1
	if err := w.sweepMembers(ctx, tx, next.dropped, from, to); err != nil {
		return 0, err
	}
	return to, w.sweepMicros(ctx, tx, next.dropped, from, to)
}

// sweepMembers has the rows of documents up to dropped leave.
func (w *writer) sweepMembers(ctx context.Context, tx *sql.Tx, dropped, from, to int64) error {
	rows, err := tx.Query(selectStale, dropped, from, to)
	stale, err := collect(w.path, rows, err, (*member).dest)
	if err != nil {
		return err
	}
	sums := make(map[int64]int64)
	for _, m := range stale {
		sums[m.micro] -= m.sum()
	}
	for _, micro := range slices.Sorted(maps.Keys(sums)) {
		if _, err := tx.Exec(deleteStale, micro, dropped); err != nil {
			return err
		}
	}
	return addSums(ctx, tx, w.path, sums)
}

// sweepMicros has the micro-clusters leave that no document is in and that no
// other is part of. One that gets a document again is entered again.
func (w *writer) sweepMicros(ctx context.Context, tx *sql.Tx, dropped, from, to int64) error {
	rows, err := tx.Query(selectEmpty, dropped, from, to)
	empty, err := collect(w.path, rows, err, (*member).dest)
	if err != nil {
		return err
	}
	needed := w.waiting.micros()
	for _, m := range empty {
		if err := ctx.Err(); err != nil {
			return err
		}
		if needed[m.micro] {
			continue
		}
		delete(w.placed, starling.MicroID(m.micro))
		if _, err := tx.Exec(deleteMicro, m.micro); err != nil {
			return err
		}
	}
	return nil
}

// left says whether err came up because the document numbered seq has left the
// state meanwhile, and returns the first one that has not.
func (s *Store) left(ctx context.Context, seq int64, err error) (first int64, yes bool) {
	if !errors.Is(err, ErrDamaged) {
		return 0, false
	}
	first, failed := s.First(ctx)
	return first, failed == nil && seq < first
}

func leftState(path string, after, first int64) error {
	return fmt.Errorf("%w: %s: document %d is wanted, the first that is kept is %d", ErrLeft, path, after+1, cmp.Or(first, 1))
}
