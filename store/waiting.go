package store

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"maps"
	"slices"
	"sync"
)

// defaultIndexEvery is how many documents are entered into the tables ids and
// members together. Entered in their sorted order, they touch each page of a
// table once, where one by one each would touch a page of its own.
const defaultIndexEvery = 8192

// A digest is the beginning of the SHA-256 of a document's id. Two ids with one
// digest would count as one document; among 10^12 ids the odds of such a pair
// are one in 10^14.
type digest [16]byte

func digestOf(id string) digest {
	sum := sha256.Sum256([]byte(id))
	return digest(sum[:16])
}

// An arrival is what the tables ids and members will hold of a document.
type arrival struct {
	id         digest
	micro, seq int64
}

func arrivals(records []Record) []arrival {
	all := make([]arrival, len(records))
	for i, r := range records {
		all[i] = arrival{digestOf(r.ID), int64(r.Micro), r.Seq}
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

// readWaiting finds the documents after indexed.
func readWaiting(ctx context.Context, q querier, path string, indexed int64) (*waiting, error) {
	type row struct {
		id         string
		micro, seq int64
	}
	rows, err := q.QueryContext(ctx, "SELECT id, micro, seq FROM documents WHERE seq > ? ORDER BY seq", indexed)
	all, err := collect(path, rows, err, func(r *row) []any { return []any{&r.id, &r.micro, &r.seq} })
	if err != nil {
		return nil, err
	}
	w := &waiting{ids: make(map[digest]struct{})}
	found := make([]arrival, len(all))
	for i, r := range all {
		found[i] = arrival{digestOf(r.id), r.micro, r.seq}
	}
	w.add(found)
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

// index enters what waits and what has arrived since into the tables. Only the
// writer changes what waits, so nothing is missed.
func (w *waiting) index(ctx context.Context, tx *sql.Tx, arrived []arrival) error {
	all := slices.Concat(w.arrivals, arrived)
	slices.SortFunc(all, func(a, b arrival) int { return bytes.Compare(a.id[:], b.id[:]) })
	err := insertAll(ctx, tx, "INSERT OR IGNORE INTO ids VALUES (?)", all, func(a arrival) []any { return []any{a.id[:]} })
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b arrival) int { return cmp.Or(cmp.Compare(a.micro, b.micro), cmp.Compare(a.seq, b.seq)) })
	return insertAll(ctx, tx, "INSERT INTO members VALUES (?,?)", all, func(a arrival) []any { return []any{a.micro, a.seq} })
}

func insertAll(ctx context.Context, tx *sql.Tx, query string, all []arrival, values func(arrival) []any) error {
	insert, err := tx.PrepareContext(ctx, query)
	if err != nil {
		return err
	}
	defer insert.Close() //nolint:errcheck // the transaction ends with it
	for _, a := range all {
		if _, err := insert.ExecContext(ctx, values(a)...); err != nil {
			return err
		}
	}
	return nil
}
