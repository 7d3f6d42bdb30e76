// Package store keeps the state of one stream in one SQLite file: the
// documents with their embeddings and assignments, the events they caused, what
// people edited, snapshots of the clustering, and the messages that could not be
// processed.
//
// The documents and edits are the journal. A commit appends to it and is durable
// when it returns; after a crash the newest snapshot and what came after it give
// the clustering back:
//
//	s, err := store.Open(ctx, dir)
//	...
//	err = s.Commit(ctx, store.Batch{Records: records})
//
// SCHEMA.md in this folder describes the file.
//
// One process at a time writes a state ([Create], [Open]); others may read it
// meanwhile ([OpenReader]). The package has no clock: every time it stores
// comes in as data.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// The files of a state, inside its folder. SQLite adds starling.db-wal and
// starling.db-shm beside the first while the state is open.
const (
	fileName = "starling.db"
	lockName = "lock"
)

// maxReaders is how many reads run at once; a further one waits.
const maxReaders = 4

// A Store is the open state of one stream. Its methods may be called from
// several goroutines. The caller closes it.
type Store struct {
	path     string
	identity Identity
	readers  *sql.DB
	buckets  *sql.Stmt // bucketsQuery, on readers
	document *sql.Stmt // documentsQuery, on readers
	writer   *writer   // nil in a store opened by OpenReader
}

// Exists reports whether dir holds a state.
func Exists(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, fileName))
	return err == nil
}

// Create makes a new state in dir, and dir itself when it is absent, and opens
// it for writing. A state already there is an error that is fs.ErrExist.
func Create(ctx context.Context, dir string, id Identity) (*Store, error) {
	if err := id.validate(); err != nil {
		return nil, fmt.Errorf("creating state %s: %w", dir, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("creating state folder: %w", err)
	}
	return openLocked(ctx, dir, func(path string) error {
		if Exists(dir) {
			return fmt.Errorf("creating state %s: %w", path, fs.ErrExist)
		}
		return createFile(ctx, path, id)
	})
}

// Open opens the state in dir for writing. The error is fs.ErrNotExist when
// there is none, and [ErrLocked], [ErrNewer] or [ErrDamaged] as they say.
func Open(ctx context.Context, dir string) (*Store, error) {
	if !Exists(dir) {
		return nil, noState(dir)
	}
	return openLocked(ctx, dir, func(path string) error { return migrate(ctx, path) })
}

// OpenReader opens the state in dir for reading, beside the process that
// writes it if there is one. It takes no lock and changes nothing but the
// shared memory file by which SQLite's readers and writer find each other.
// Its errors are those of Open without ErrLocked.
func OpenReader(ctx context.Context, dir string) (*Store, error) {
	if !Exists(dir) {
		return nil, noState(dir)
	}
	path, err := filepath.Abs(filepath.Join(dir, fileName))
	if err != nil {
		return nil, fmt.Errorf("opening state %s: %w", dir, err)
	}
	s := &Store{path: path}
	if err := s.openReaders(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func noState(dir string) error {
	return fmt.Errorf("opening state %s: no %s there: %w", dir, fileName, fs.ErrNotExist)
}

// openLocked takes the lock of dir, lets prepare make or migrate the file, and
// opens it for reading and writing.
func openLocked(ctx context.Context, dir string, prepare func(path string) error) (*Store, error) {
	path, err := filepath.Abs(filepath.Join(dir, fileName))
	if err != nil {
		return nil, fmt.Errorf("opening state %s: %w", dir, err)
	}
	lock, err := takeLock(dir)
	if err != nil {
		return nil, err
	}
	if err := prepare(path); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	s := &Store{path: path, writer: &writer{path: path, lock: lock, indexEvery: defaultIndexEvery, placed: make(placements)}}
	if err := s.openBoth(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) openBoth(ctx context.Context) error {
	if err := s.openReaders(ctx); err != nil {
		return err
	}
	return s.openWriter(ctx)
}

// openReaders opens the reading connections and checks what is cheap to check:
// that the file is a state of a known version, that its single rows are whole,
// that the journal has the length it should have, and the table of
// micro-clusters against its index.
func (s *Store) openReaders(ctx context.Context) error {
	db, err := sql.Open("sqlite", dsn(s.path, "mode=ro", "_busy_timeout=10000", "_pragma=cache_size(-4096)", "_pragma=cell_size_check(1)"))
	if err != nil {
		return fmt.Errorf("opening state %s: %w", s.path, err)
	}
	db.SetMaxOpenConns(maxReaders)
	db.SetMaxIdleConns(maxReaders)
	s.readers = db
	if err := s.check(ctx); err != nil {
		return err
	}
	if s.buckets, err = db.PrepareContext(ctx, bucketsQuery); err != nil {
		return explain(s.path, "opening state", err)
	}
	if s.document, err = db.PrepareContext(ctx, documentsQuery); err != nil {
		return explain(s.path, "opening state", err)
	}
	return nil
}

// Identity returns what the state was created with.
func (s *Store) Identity() Identity { return s.identity }

// CheckModel returns an error that is [ErrModel] and names both models unless
// id has the fingerprint and dimension of the state. The name may differ, as
// that of a folder does once it was moved; settings are not compared.
func (s *Store) CheckModel(id Identity) error {
	have := s.identity
	if have.Fingerprint == id.Fingerprint && have.Dim == id.Dim {
		return nil
	}
	return fmt.Errorf("%w: %s was made with %s, not with %s; use that model, or another state folder",
		ErrModel, s.path, have.modelString(), id.modelString())
}

// Close waits for the commit in progress, closes the file and gives up the
// lock.
func (s *Store) Close() error {
	if s.writer != nil {
		s.writer.stopFilling()
	}
	var errs []error
	for _, stmt := range []*sql.Stmt{s.buckets, s.document} {
		if stmt != nil {
			errs = append(errs, stmt.Close())
		}
	}
	if s.readers != nil {
		errs = append(errs, s.readers.Close())
	}
	if s.writer != nil {
		errs = append(errs, s.writer.close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("closing state %s: %w", s.path, err)
	}
	return nil
}

// dsn names the file at the absolute path and how to open it.
func dsn(path string, options ...string) string {
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: strings.Join(options, "&")}
	return u.String()
}
