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

// Journal yields the documents after the one numbered after, in order, with
// their embeddings: those that are there when it is called.
func (s *Store) Journal(ctx context.Context, after int64) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		last, err := s.Last(ctx)
		if err != nil {
			yield(Record{}, err)
			return
		}
		for next := after + 1; next <= last; {
			page, err := s.readRecords(ctx, next, min(last, next+pageRecords-1))
			if err != nil {
				yield(Record{}, err)
				return
			}
			for _, record := range page {
				if !yield(record, nil) {
					return
				}
			}
			next += int64(len(page))
		}
	}
}

// readRecords reads the documents from first to last, all of which there are.
func (s *Store) readRecords(ctx context.Context, first, last int64) ([]Record, error) {
	type row struct {
		documentRow
		sum       int64
		embedding []byte
	}
	rows, err := s.readers.QueryContext(ctx, "SELECT "+documentColumns+", embedding_checksum, embedding "+
		"FROM documents WHERE seq BETWEEN ? AND ? ORDER BY seq", first, last)
	all, err := collect(s.path, rows, err, func(r *row) []any { return append(r.dest(), &r.sum, &r.embedding) })
	if err != nil {
		return nil, err
	}
	records := make([]Record, len(all))
	for i := range all {
		r := &all[i]
		if r.seq != first+int64(i) {
			return nil, s.missing(first + int64(i))
		}
		update, err := r.update(s.path)
		if err != nil {
			return nil, err
		}
		if r.sum != int64(sumOf(r.embedding)) || len(r.embedding) != 4*s.identity.Dim {
			return nil, damaged(s.path, fmt.Sprintf("the embedding of document %d does not match its checksum", r.seq))
		}
		records[i] = Record{Update: update, Embedding: decodeVector(r.embedding)}
	}
	if int64(len(records)) != last-first+1 {
		return nil, s.missing(first + int64(len(records)))
	}
	return records, nil
}

func (s *Store) missing(seq int64) error {
	return damaged(s.path, fmt.Sprintf("document %d is missing from the journal", seq))
}

// Updates returns up to limit updates after the one numbered after, in order,
// as they were when their documents came.
func (s *Store) Updates(ctx context.Context, after int64, limit int) ([]starling.Update, error) {
	rows, err := s.readers.QueryContext(ctx, "SELECT "+documentColumns+" FROM documents WHERE seq > ? ORDER BY seq LIMIT ?",
		after, sqlLimit(limit))
	return s.updates(rows, err)
}

func (s *Store) updates(rows *sql.Rows, err error) ([]starling.Update, error) {
	all, err := collect(s.path, rows, err, (*documentRow).dest)
	if err != nil {
		return nil, err
	}
	updates := make([]starling.Update, len(all))
	for i := range all {
		if updates[i], err = all[i].update(s.path); err != nil {
			return nil, err
		}
	}
	return updates, nil
}
