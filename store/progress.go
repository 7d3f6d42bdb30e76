package store

import (
	"context"
	"fmt"
)

// progress is how far the state has come. Each field counts documents and so
// is the Seq of the last one.
type progress struct {
	documents int64 // in the journal
	indexed   int64 // in the tables ids and members; at most documents
	published int64 // sent on; at most documents
}

// sum is the checksum of the progress row.
func (p progress) sum() uint32 {
	var b sumBuilder
	b.int(p.documents)
	b.int(p.indexed)
	b.int(p.published)
	return b.sum()
}

func readProgress(ctx context.Context, q querier, path string) (progress, error) {
	type row struct {
		progress
		sum int64
	}
	r, err := queryOne(ctx, q, path, func(r *row) []any {
		return []any{&r.documents, &r.indexed, &r.published, &r.sum}
	}, "SELECT documents, indexed, published, checksum FROM progress WHERE one = 1")
	if err != nil {
		return progress{}, fmt.Errorf("reading progress: %w", err)
	}
	if r.sum != int64(r.progress.sum()) {
		return progress{}, fmt.Errorf("reading progress: %w", damaged(path, "it does not match its checksum"))
	}
	return r.progress, nil
}

// Last returns the Seq of the last document, 0 when there is none.
func (s *Store) Last(ctx context.Context) (int64, error) {
	p, err := readProgress(ctx, s.readers, s.path)
	return p.documents, err
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
