package store

import (
	"context"
	"slices"
	"testing"
)

// SetIndexEvery has a store enter every n documents into its tables, so that a
// test of a few documents reaches what takes thousands.
func (s *Store) SetIndexEvery(n int64) { s.writer.indexEvery = n }

// Versions is the number of versions of the schema that there are.
func Versions() int { return len(migrations) }

// CreateVersion makes the file of a state as the given version of the schema
// has it.
func CreateVersion(ctx context.Context, path string, id Identity, version int) (err error) {
	newest := migrations
	migrations = migrations[:version]
	defer func() { migrations = newest }()
	return createFile(ctx, path, id)
}

// AddVersion adds a version to the schema until restore is called.
func AddVersion(script string) (restore func()) {
	newest := migrations
	migrations = append(slices.Clip(migrations), script)
	return func() { migrations = newest }
}

// FileName is the name of the file in the folder of a state.
const FileName = fileName

// Synchronous returns how much the writing connection waits for the disk; 2 is
// FULL.
func (s *Store) Synchronous(ctx context.Context) (mode int64, err error) {
	err = s.writer.db.QueryRowContext(ctx, "PRAGMA synchronous").Scan(&mode)
	return mode, err
}

// Break has the next commits fail while they are written, until it is called
// again with false.
func (s *Store) Break(broken bool) error {
	if broken {
		_, err := s.writer.db.Exec("CREATE TRIGGER broken BEFORE UPDATE ON progress BEGIN SELECT raise(ABORT, 'broken by a test'); END")
		return err
	}
	_, err := s.writer.db.Exec("DROP TRIGGER broken")
	return err
}

// RoundAtLeast is the least number of documents that leave in one round of the
// hand.
const RoundAtLeast = roundAtLeast

// Path returns the path of the file.
func (s *Store) Path() string { return s.path }

// Count returns the only value of a query.
func (s *Store) Count(t testing.TB, query string) int64 {
	n, err := queryInt(t.Context(), s.readers, s.path, query)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
