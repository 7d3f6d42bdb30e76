package store

import (
	"context"
	"fmt"
	"iter"
)

// Snapshots yields the snapshots, the newest first. A damaged one is an error
// that is [ErrDamaged]; whoever goes on gets the next older one.
func (s *Store) Snapshots(ctx context.Context) iter.Seq2[Snapshot, error] {
	return func(yield func(Snapshot, error) bool) {
		rows, err := s.readers.QueryContext(ctx, "SELECT seq FROM snapshots ORDER BY seq DESC")
		seqs, err := collect(s.path, rows, err, func(seq *int64) []any { return []any{seq} })
		if err != nil {
			yield(Snapshot{}, err)
			return
		}
		for _, seq := range seqs {
			if !yield(s.readSnapshot(ctx, seq)) {
				return
			}
		}
	}
}

func (s *Store) readSnapshot(ctx context.Context, seq int64) (Snapshot, error) {
	type row struct {
		data []byte
		sum  int64
	}
	r, err := queryOne(ctx, s.readers, s.path, func(r *row) []any { return []any{&r.data, &r.sum} },
		"SELECT data, checksum FROM snapshots WHERE seq = ?", seq)
	if err == nil && r.sum != int64(sumOf(r.data)) {
		err = damaged(s.path, "it does not match its checksum")
	}
	if err != nil {
		return Snapshot{}, fmt.Errorf("reading the snapshot of document %d: %w", seq, err)
	}
	return Snapshot{Seq: seq, Data: r.data}, nil
}
