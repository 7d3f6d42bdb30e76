package store

import (
	"context"
	"fmt"
)

// check reads the identity and checks the file as far as that is cheap; the
// checksums of documents, snapshots and dead letters are checked where they
// are read.
func (s *Store) check(ctx context.Context) error {
	version, err := readVersion(ctx, s.readers, s.path)
	if err != nil {
		return err
	}
	if version < len(migrations) {
		return fmt.Errorf("opening state: %s has version %d and this program reads version %d; open it once for writing, which brings it up to date",
			s.path, version, len(migrations))
	}
	if s.identity, err = readIdentity(ctx, s.readers, s.path); err != nil {
		return err
	}
	if err := s.checkLength(ctx); err != nil {
		return err
	}
	return checkMicros(ctx, s.readers, s.path)
}

func readIdentity(ctx context.Context, q querier, path string) (Identity, error) {
	type row struct {
		Identity
		sum int64
	}
	r, err := queryOne(ctx, q, path, func(r *row) []any {
		return []any{&r.Model, &r.Fingerprint, &r.Dim, &r.Settings, &r.sum}
	}, "SELECT model, fingerprint, dim, settings, checksum FROM identity WHERE one = 1")
	if err != nil {
		return Identity{}, fmt.Errorf("reading identity: %w", err)
	}
	if r.sum != int64(r.Identity.sum()) {
		return Identity{}, fmt.Errorf("reading identity: %w", damaged(path, "it does not match its checksum"))
	}
	return r.Identity, nil
}

// checkLength compares the ends of the journal with the progress row.
func (s *Store) checkLength(ctx context.Context) error {
	tx, p, err := s.view(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // it only read
	last, err := queryInt(ctx, tx, s.path, "SELECT coalesce(max(seq), ?) FROM documents", p.dropped)
	if err != nil {
		return err
	}
	first, err := queryInt(ctx, tx, s.path, "SELECT coalesce(min(seq), ?) FROM documents", p.dropped+1)
	if err != nil {
		return err
	}
	if last != p.documents || first != p.dropped+1 {
		return damaged(s.path, fmt.Sprintf("the journal has documents %d to %d, not %d to %d", first, last, p.dropped+1, p.documents))
	}
	return nil
}
