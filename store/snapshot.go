package store

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
)

const (
	insertSnapshot = "INSERT OR REPLACE INTO snapshots (seq, data, checksum) VALUES (?,?,?)"
	// trimSnapshots keeps two, so that one damaged snapshot costs time only.
	trimSnapshots  = "DELETE FROM snapshots WHERE seq NOT IN (SELECT seq FROM snapshots ORDER BY seq DESC LIMIT 2)"
	countSnapshots = "SELECT count(*) FROM snapshots"
)

// insert writes the snapshot and returns how many there are then.
func (s Snapshot) insert(tx *sql.Tx) (count int64, err error) {
	if _, err := tx.Exec(insertSnapshot, s.Seq, notNull(s.Data), sumOf(s.Seq, s.Data)); err != nil {
		return 0, err
	}
	if _, err := tx.Exec(trimSnapshots); err != nil {
		return 0, err
	}
	err = tx.QueryRow(countSnapshots).Scan(&count)
	return count, err
}

// Snapshots yields the snapshots, the newest first. A damaged one is an error
// that is [ErrDamaged]; whoever goes on gets the next older one.
func (s *Store) Snapshots(ctx context.Context) iter.Seq2[Snapshot, error] {
	return func(yield func(Snapshot, error) bool) {
		seqs, err := s.snapshotSeqs(ctx)
		if err != nil && !yield(Snapshot{}, err) {
			return
		}
		for _, seq := range seqs {
			snapshot, there, err := s.readSnapshot(ctx, seq)
			if !there { // it gave way to a newer one since
				continue
			}
			if !yield(snapshot, err) {
				return
			}
		}
	}
}

// snapshotSeqs returns the documents of which there are snapshots, the last
// first. With an error it returns those it could find.
func (s *Store) snapshotSeqs(ctx context.Context) ([]int64, error) {
	tx, p, err := s.view(ctx)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() //nolint:errcheck // it only read
	rows, err := tx.QueryContext(ctx, "SELECT seq FROM snapshots ORDER BY seq DESC")
	seqs, err := collect(s.path, rows, err, func(seq *int64) []any { return []any{seq} })
	if err == nil && int64(len(seqs)) != p.snapshots {
		err = damaged(s.path, fmt.Sprintf("there are %d snapshots of %d", len(seqs), p.snapshots))
	}
	return seqs, err
}

func (s *Store) readSnapshot(ctx context.Context, seq int64) (snapshot Snapshot, there bool, err error) {
	type row struct {
		data []byte
		sum  int64
	}
	rows, err := s.readers.QueryContext(ctx, "SELECT data, checksum FROM snapshots WHERE seq = ?", seq)
	found, err := collect(s.path, rows, err, func(r *row) []any { return []any{&r.data, &r.sum} })
	if err == nil && len(found) == 0 {
		return Snapshot{}, false, nil
	}
	if err == nil && found[0].sum != int64(sumOf(seq, found[0].data)) {
		err = damaged(s.path, "it does not match its checksum")
	}
	if err != nil {
		return Snapshot{}, true, fmt.Errorf("reading the snapshot of document %d: %w", seq, err)
	}
	return Snapshot{Seq: seq, Data: found[0].data}, true, nil
}
