package store

import (
	"context"
	"database/sql"
	"fmt"
	"iter"

	"starling"
)

// pageRecords is how many documents one query of an iteration reads, so that a
// slow reader does not hold the write-ahead log.
const pageRecords = 256

const (
	documentsQuery = "SELECT " + documentColumns + " FROM documents WHERE seq BETWEEN ? AND ? ORDER BY seq"
	recordsQuery   = "SELECT " + documentColumns + ", embedding_checksum, embedding FROM documents WHERE seq BETWEEN ? AND ? ORDER BY seq"
)

// Journal yields the documents after the one numbered after, in order, with
// their embeddings: those that are there when the iteration begins. One that was
// deleted is of the micro-cluster 0 and has neither text nor embedding. Where one
// of them has left, or leaves meanwhile, the error is [ErrLeft].
func (s *Store) Journal(ctx context.Context, after int64) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		last, err := s.Last(ctx)
		if err != nil {
			yield(Record{}, err)
			return
		}
		inPages(max(0, after)+1, last, yield, func(first, last int64) ([]Record, error) {
			records, err := s.readRecords(ctx, s.readers, first, last)
			if kept, left := s.left(ctx, first, err); left {
				return nil, leftState(s.path, first-1, kept)
			}
			return records, err
		})
	}
}

// inPages yields what read returns of the documents from first to last, a page
// at a time.
func inPages[T any](first, last int64, yield func(T, error) bool, read func(first, last int64) ([]T, error)) {
	for ; first <= last; first += pageRecords {
		page, err := read(first, min(last, first+pageRecords-1))
		if err != nil {
			var zero T
			yield(zero, err)
			return
		}
		for _, document := range page {
			if !yield(document, nil) {
				return
			}
		}
	}
}

// readRecords reads the documents from first to last, all of which there are.
func (s *Store) readRecords(ctx context.Context, q querier, first, last int64) ([]Record, error) {
	type row struct {
		documentRow
		sum       int64
		embedding []byte
	}
	rows, err := q.QueryContext(ctx, recordsQuery, first, last)
	all, err := collect(s.path, rows, err, func(r *row) []any { return append(r.dest(), &r.sum, &r.embedding) })
	if err != nil {
		return nil, err
	}
	records := make([]Record, len(all))
	for i := range all {
		r := &all[i]
		if records[i].Update, err = r.update(s.path, first+int64(i)); err != nil {
			return nil, err
		}
		dim := s.identity.Dim
		if r.isErased() {
			dim = 0
		}
		var whole bool
		records[i].Embedding, whole = decodeVector(r.embedding, dim)
		if r.sum != int64(sumOf(r.seq, r.embedding)) || !whole {
			return nil, damaged(s.path, fmt.Sprintf("the embedding of document %d does not match its checksum", r.seq))
		}
	}
	return records, s.complete(len(records), first, last)
}

// complete returns an error unless n documents are all those from first to last.
func (s *Store) complete(n int, first, last int64) error {
	if next := first + int64(n); next <= last {
		return missing(s.path, next)
	}
	return nil
}

func missing(path string, seq int64) error {
	return damaged(path, fmt.Sprintf("document %d is missing from the journal", seq))
}

// Updates returns up to limit updates after the one numbered after, in order,
// as they were when their documents came; limit 0 means all. Those of documents
// that have left are passed over.
func (s *Store) Updates(ctx context.Context, after int64, limit int) ([]starling.Update, error) {
	tx, p, err := s.view(ctx)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() //nolint:errcheck // it only read
	after, last := max(p.dropped, after), p.documents
	if limit > 0 {
		last = min(last, after+int64(limit))
	}
	return s.readUpdates(ctx, tx, after+1, last)
}

// updatesBetween yields the updates from first to last, all of which there are.
func (s *Store) updatesBetween(ctx context.Context, q querier, first, last int64) iter.Seq2[starling.Update, error] {
	return func(yield func(starling.Update, error) bool) {
		inPages(first, last, yield, func(first, last int64) ([]starling.Update, error) {
			return s.readUpdates(ctx, q, first, last)
		})
	}
}

func (s *Store) readUpdates(ctx context.Context, q querier, first, last int64) ([]starling.Update, error) {
	rows, err := q.QueryContext(ctx, documentsQuery, first, last)
	return s.updates(rows, err, first, last)
}

// updates returns the outcome of documentsQuery.
func (s *Store) updates(rows *sql.Rows, err error, first, last int64) ([]starling.Update, error) {
	all, err := collect(s.path, rows, err, (*documentRow).dest)
	if err != nil {
		return nil, err
	}
	updates := make([]starling.Update, len(all))
	for i := range all {
		if updates[i], err = all[i].update(s.path, first+int64(i)); err != nil {
			return nil, err
		}
	}
	return updates, s.complete(len(updates), first, last)
}
