package store

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
)

// keptSnapshots is how many are kept: a second one, so that damage to the
// newest costs time only.
const keptSnapshots = 2

const (
	insertSnapshot = "INSERT INTO snapshots (number, seq, data, checksum) VALUES (?,?,?,?)"
	trimSnapshots  = "DELETE FROM snapshots WHERE number <= ?"
	selectSnapshot = "SELECT seq, data, checksum FROM snapshots WHERE number = ?"
)

// sum is the checksum of the row with the given number.
func (s Snapshot) sum(number int64) uint32 {
	var b sumBuilder
	b.int(number)
	b.int(s.Seq)
	b.bytes(s.Data)
	return b.sum()
}

// insert writes the snapshot under the next number, and drops the oldest.
func (s Snapshot) insert(tx *sql.Tx, number int64) error {
	if _, err := tx.Exec(insertSnapshot, number, s.Seq, notNull(s.Data), s.sum(number)); err != nil {
		return err
	}
	_, err := tx.Exec(trimSnapshots, number-keptSnapshots)
	return err
}

// Snapshots yields the snapshots, the newest first. A damaged one is an error
// that is [ErrDamaged]; whoever goes on gets the next older one.
func (s *Store) Snapshots(ctx context.Context) iter.Seq2[Snapshot, error] {
	return func(yield func(Snapshot, error) bool) {
		for older := range int64(keptSnapshots) {
			snapshot, there, err := s.readSnapshot(ctx, older)
			if (there || err != nil) && !yield(snapshot, err) {
				return
			}
		}
	}
}

// readSnapshot returns the newest snapshot but so many, if there is one.
func (s *Store) readSnapshot(ctx context.Context, older int64) (snapshot Snapshot, there bool, err error) {
	tx, p, err := s.view(ctx)
	if err != nil {
		return Snapshot{}, false, err
	}
	defer tx.Rollback() //nolint:errcheck // it only read
	number := p.snapshots - older
	if number < 1 {
		return Snapshot{}, false, nil
	}
	snapshot, err = selectSnapshotRow(ctx, tx, s.path, number)
	return snapshot, err == nil, err
}

// selectSnapshotRow reads the snapshot with the given number, which there is.
func selectSnapshotRow(ctx context.Context, q querier, path string, number int64) (Snapshot, error) {
	type row struct {
		Snapshot
		checksum int64
	}
	r, err := queryOne(ctx, q, path, func(r *row) []any { return []any{&r.Seq, &r.Data, &r.checksum} }, selectSnapshot, number)
	if err == nil && r.checksum != int64(r.sum(number)) {
		err = damaged(path, fmt.Sprintf("snapshot %d does not match its checksum", number))
	}
	if err != nil {
		return Snapshot{}, fmt.Errorf("reading snapshots: %w", err)
	}
	return r.Snapshot, nil
}
