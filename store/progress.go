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
	sent        int64 // the last dead letter that was sent on; at most deadLetters
}

const (
	selectProgress = "SELECT documents, indexed, published, snapshots, dead_letters, checksum, edits, edits_checksum, " +
		"dropped, settled, left_checksum, sent, sent_checksum FROM progress WHERE one = 1"
	updateProgress = "UPDATE progress SET documents = ?, indexed = ?, published = ?, snapshots = ?, dead_letters = ?, checksum = ?, " +
		"edits = ?, edits_checksum = ?, dropped = ?, settled = ?, left_checksum = ?, sent = ?, sent_checksum = ? WHERE one = 1"
)

// sum is the checksum of the columns that the progress row began with, the
// others are those of what was added.
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

func (p progress) sentSum() uint32 { return sumOf(p.sent, nil) }

// execer is a pool of connections or a transaction.
type execer interface {
	Exec(query string, args ...any) (sql.Result, error)
}

func (p progress) write(to execer) error {
	_, err := to.Exec(updateProgress, p.documents, p.indexed, p.published, p.snapshots, p.deadLetters, p.sum(),
		p.edits, p.editsSum(), p.dropped, p.settled, p.leftSum(), p.sent, p.sentSum())
	return err
}

func readProgress(ctx context.Context, q querier, path string) (progress, error) {
	type row struct {
		progress
		sum, editsSum, leftSum, sentSum int64
	}
	r, err := queryOne(ctx, q, path, func(r *row) []any {
		return []any{&r.documents, &r.indexed, &r.published, &r.snapshots, &r.deadLetters, &r.sum,
			&r.edits, &r.editsSum, &r.dropped, &r.settled, &r.leftSum, &r.sent, &r.sentSum}
	}, selectProgress)
	if err != nil {
		return progress{}, fmt.Errorf("reading progress: %w", err)
	}
	p := r.progress
	if r.sum != int64(p.sum()) || r.editsSum != int64(p.editsSum()) || r.leftSum != int64(p.leftSum()) || r.sentSum != int64(p.sentSum()) {
		return progress{}, fmt.Errorf("reading progress: %w", damaged(path, "it does not match its checksum"))
	}
	return p, nil
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

// SentDeadLetters returns the number of the last dead letter that was sent on, as
// SetSentDeadLetters said. Those after it are due.
func (s *Store) SentDeadLetters(ctx context.Context) (int64, error) {
	p, err := readProgress(ctx, s.readers, s.path)
	return p.sent, err
}

// SetSentDeadLetters says that the dead letters up to a number were sent on. Like
// SetPublished it does not wait for the disk.
func (s *Store) SetSentDeadLetters(ctx context.Context, number int64) error {
	if s.writer == nil {
		return fmt.Errorf("setting the dead letter sent: %w", ErrReadOnly)
	}
	return explain(s.path, "setting the dead letter sent", s.writer.setSent(ctx, number))
}
