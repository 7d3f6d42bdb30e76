package store

import (
	"context"
	"database/sql"
	"fmt"
)

// progress is how far the state has come, and so which rows there must be. The
// first three count documents and so are the Seq of the last one.
type progress struct {
	documents   int64 // in the journal
	indexed     int64 // in the tables ids and members; at most documents
	published   int64 // sent on; at most documents
	snapshots   int64 // so far; the last two are kept
	deadLetters int64 // so far; settled ones among them
	edits       int64
	dropped     int64 // documents that left the journal, the first ones; at most indexed
	settled     int64 // dead letters that left
}

const (
	selectProgress = "SELECT documents, indexed, published, snapshots, dead_letters, checksum, edits, edits_checksum, " +
		"dropped, settled, left_checksum FROM progress WHERE one = 1"
	updateProgress = "UPDATE progress SET documents = ?, indexed = ?, published = ?, snapshots = ?, dead_letters = ?, checksum = ?, " +
		"edits = ?, edits_checksum = ?, dropped = ?, settled = ?, left_checksum = ? WHERE one = 1"
)

// sum is the checksum of the columns that the progress row began with, editsSum
// and leftSum those of what was added.
func (p progress) sum() uint32 {
	var b sumBuilder
	b.int(p.documents)
	b.int(p.indexed)
	b.int(p.published)
	b.int(p.snapshots)
	b.int(p.deadLetters)
	return b.sum()
}

func (p progress) editsSum() uint32 { return sumOf(p.edits, nil) }

func (p progress) leftSum() uint32 {
	var b sumBuilder
	b.int(p.dropped)
	b.int(p.settled)
	return b.sum()
}

// execer is a pool of connections or a transaction.
type execer interface {
	Exec(query string, args ...any) (sql.Result, error)
}

func (p progress) write(to execer) error {
	_, err := to.Exec(updateProgress, p.documents, p.indexed, p.published, p.snapshots, p.deadLetters, p.sum(),
		p.edits, p.editsSum(), p.dropped, p.settled, p.leftSum())
	return err
}

func readProgress(ctx context.Context, q querier, path string) (progress, error) {
	type row struct {
		progress
		sum, editsSum, leftSum int64
	}
	r, err := queryOne(ctx, q, path, func(r *row) []any {
		return []any{&r.documents, &r.indexed, &r.published, &r.snapshots, &r.deadLetters, &r.sum,
			&r.edits, &r.editsSum, &r.dropped, &r.settled, &r.leftSum}
	}, selectProgress)
	if err != nil {
		return progress{}, fmt.Errorf("reading progress: %w", err)
	}
	if r.sum != int64(r.progress.sum()) || r.editsSum != int64(r.progress.editsSum()) || r.leftSum != int64(r.progress.leftSum()) {
		return progress{}, fmt.Errorf("reading progress: %w", damaged(path, "it does not match its checksum"))
	}
	return r.progress, nil
}

// Last returns the Seq of the last document, 0 when there is none.
func (s *Store) Last(ctx context.Context) (int64, error) {
	p, err := readProgress(ctx, s.readers, s.path)
	return p.documents, err
}

// First returns the Seq of the first document that is still in the state, one
// more than [Store.Last] when there is none.
func (s *Store) First(ctx context.Context) (int64, error) {
	p, err := readProgress(ctx, s.readers, s.path)
	return p.dropped + 1, err
}

// Published returns the Seq of the last update that was published, as
// SetPublished said. The journal is the outbox: the updates after it are due.
func (s *Store) Published(ctx context.Context) (int64, error) {
	p, err := readProgress(ctx, s.readers, s.path)
	return p.published, err
}

// SetPublished says that the updates up to seq were published. A crash of the
// process does not undo it, a power cut may, so that updates are published at
// least once; in return it does not wait for the disk.
func (s *Store) SetPublished(ctx context.Context, seq int64) error {
	if s.writer == nil {
		return fmt.Errorf("setting the published update: %w", ErrReadOnly)
	}
	return explain(s.path, "setting the published update", s.writer.setPublished(ctx, seq))
}
