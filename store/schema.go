package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// applicationID marks the file as a state: "STRL" in SQLite's header.
const applicationID = 0x5354524c

// pageSize is SQLite's page size in bytes. Seven documents with 512-wide
// embeddings fill a page of 16 KiB; one fills barely more than half of a page
// of SQLite's usual 4 KiB.
const pageSize = 16 << 10

// migrations bring a file from version i to i+1. A published one never changes.
var migrations = []string{schema1, schema2, schema3, schema4, schema5}

// schema5 adds up to where dead letters were sent on. The checksum is that of none.
const schema5 = `
ALTER TABLE progress ADD COLUMN sent          INTEGER NOT NULL DEFAULT 0;
ALTER TABLE progress ADD COLUMN sent_checksum INTEGER NOT NULL DEFAULT 2351477386;
`

// schema4 has documents and dead letters leave. The checksum is that of none that
// have.
const schema4 = `
ALTER TABLE progress ADD COLUMN dropped       INTEGER NOT NULL DEFAULT 0;
ALTER TABLE progress ADD COLUMN settled       INTEGER NOT NULL DEFAULT 0;
ALTER TABLE progress ADD COLUMN left_checksum INTEGER NOT NULL DEFAULT 1114675946;
`

// schema3 adds edits. The checksum is that of no edits.
const schema3 = `
ALTER TABLE progress ADD COLUMN edits          INTEGER NOT NULL DEFAULT 0;
ALTER TABLE progress ADD COLUMN edits_checksum INTEGER NOT NULL DEFAULT 2351477386;

CREATE TABLE edits (
	number   INTEGER PRIMARY KEY,
	seq      INTEGER NOT NULL,
	edit     TEXT    NOT NULL,
	events   TEXT,
	checksum INTEGER NOT NULL
) STRICT;
`

// schema2 adds what a micro-cluster became part of.
const schema2 = `
ALTER TABLE micros ADD COLUMN part_of INTEGER;
DROP INDEX micros_by_cluster;
CREATE INDEX micros_by_place ON micros (part_of, cluster, members);
`

// schema1 is where it began.
const schema1 = `
CREATE TABLE identity (
	one         INTEGER PRIMARY KEY CHECK (one = 1),
	model       TEXT    NOT NULL,
	fingerprint TEXT    NOT NULL,
	dim         INTEGER NOT NULL,
	settings    TEXT    NOT NULL,
	checksum    INTEGER NOT NULL
) STRICT;

CREATE TABLE progress (
	one          INTEGER PRIMARY KEY CHECK (one = 1),
	documents    INTEGER NOT NULL,
	indexed      INTEGER NOT NULL,
	published    INTEGER NOT NULL,
	snapshots    INTEGER NOT NULL,
	dead_letters INTEGER NOT NULL,
	checksum     INTEGER NOT NULL
) STRICT;

CREATE TABLE documents (
	seq                INTEGER PRIMARY KEY,
	id                 TEXT    NOT NULL,
	text               TEXT    NOT NULL,
	time               INTEGER,
	attributes         TEXT,
	cluster            INTEGER NOT NULL,
	micro              INTEGER NOT NULL,
	similarity         REAL    NOT NULL,
	events             TEXT,
	checksum           INTEGER NOT NULL,
	embedding_checksum INTEGER NOT NULL,
	embedding          BLOB    NOT NULL
) STRICT;

CREATE TABLE ids (
	bucket   INTEGER PRIMARY KEY,
	digests  BLOB    NOT NULL,
	checksum INTEGER NOT NULL
) STRICT;

CREATE TABLE members (
	micro INTEGER NOT NULL,
	seq   INTEGER NOT NULL,
	PRIMARY KEY (micro, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE micros (
	micro   INTEGER PRIMARY KEY,
	cluster INTEGER NOT NULL,
	members INTEGER NOT NULL
) STRICT;

CREATE INDEX micros_by_cluster ON micros (cluster, members);

CREATE TABLE snapshots (
	number   INTEGER PRIMARY KEY,
	seq      INTEGER NOT NULL,
	data     BLOB    NOT NULL,
	checksum INTEGER NOT NULL
) STRICT;

CREATE TABLE dead_letters (
	number      INTEGER PRIMARY KEY,
	message_id  TEXT    NOT NULL,
	document_id TEXT    NOT NULL,
	reason      TEXT    NOT NULL,
	body        BLOB    NOT NULL,
	attributes  TEXT,
	time        INTEGER,
	checksum    INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX dead_letters_by_message ON dead_letters (message_id) WHERE message_id <> '';
`

// createFile makes the file at path. It is complete when it appears under
// that name: a crash meanwhile leaves only a file that the next call replaces.
func createFile(ctx context.Context, path string, id Identity) error {
	draft := path + ".new"
	if err := removeRemains(path, draft); err != nil {
		return fmt.Errorf("creating state: %w", err)
	}
	// Made here rather than by SQLite for the sake of the permissions, which
	// SQLite gives to its -wal and -shm files as well.
	f, err := os.OpenFile(draft, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("creating state: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("creating state: %w", err)
	}
	if err := fillFile(ctx, draft, id); err != nil {
		return explain(path, "creating state", err)
	}
	if err := os.Rename(draft, path); err != nil {
		return fmt.Errorf("creating state: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

// removeRemains removes what an interrupted call left of its draft, and what was
// left beside a state whose file is gone: SQLite would take a log there for
// that of the new file.
func removeRemains(path, draft string) error {
	for _, base := range []string{path, draft} {
		for _, suffix := range []string{"-wal", "-shm", "-journal"} {
			if err := removeIfThere(base + suffix); err != nil {
				return err
			}
		}
	}
	return removeIfThere(draft)
}

func removeIfThere(name string) error {
	err := os.Remove(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// syncDir makes the names in dir durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("creating state: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("creating state: syncing %s: %w", dir, err)
	}
	return nil
}

// fillFile writes the schema and the single rows into the empty file at path.
func fillFile(ctx context.Context, path string, id Identity) (err error) {
	db, err := openWriting(path, fmt.Sprintf("_pragma=page_size(%d)", pageSize))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
		return err
	}
	if err := migrateFrom(ctx, db, 0); err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "INSERT INTO identity VALUES (1, ?, ?, ?, ?, ?)",
		id.Model, id.Fingerprint, id.Dim, id.Settings, id.sum())
	if err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, "INSERT INTO progress (one, documents, indexed, published, snapshots, dead_letters, checksum) "+
		"VALUES (1, 0, 0, 0, 0, 0, ?)", progress{}.sum()); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, "INSERT INTO ids VALUES (0, x'', ?)", sumOf(0, nil)); err != nil {
		return err
	}
	// Closing does the same and keeps quiet when it cannot.
	_, err = db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return err
}

// migrate brings the file at path to the newest version.
func migrate(ctx context.Context, path string) (err error) {
	db, err := openWriting(path)
	if err != nil {
		return explain(path, "opening state", err)
	}
	defer func() { err = errors.Join(err, explain(path, "opening state", db.Close())) }()
	version, err := readVersion(ctx, db, path)
	if err != nil {
		return err
	}
	if version < len(migrations) {
		// A migration may make the index again that the table is checked by.
		if err := checkMicros(ctx, db, path); err != nil {
			return fmt.Errorf("migrating state: %w", err)
		}
	}
	return explain(path, "migrating state", migrateFrom(ctx, db, version))
}

// migrateFrom runs the migrations after version, each in its own transaction.
func migrateFrom(ctx context.Context, db *sql.DB, version int) error {
	for ; version < len(migrations); version++ {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		script := migrations[version] + fmt.Sprintf("PRAGMA user_version = %d;", version+1)
		if _, err := tx.ExecContext(ctx, script); err != nil {
			return errors.Join(err, tx.Rollback())
		}
		if err := tx.Commit(); err != nil {
			return err
		}
	}
	return nil
}

// readVersion returns the version of the schema in the file, from 1 to the
// newest known.
func readVersion(ctx context.Context, db *sql.DB, path string) (int, error) {
	var application, version int
	err := db.QueryRowContext(ctx, "SELECT application_id, user_version FROM pragma_application_id, pragma_user_version").
		Scan(&application, &version)
	switch {
	case err != nil:
		return 0, explain(path, "opening state", err)
	case application != applicationID:
		return 0, fmt.Errorf("opening state: %w", damaged(path, "it is not a Starling state"))
	case version > len(migrations):
		return 0, fmt.Errorf("%w: %s has version %d and this program knows versions up to %d; use the program that wrote it",
			ErrNewer, path, version, len(migrations))
	case version < 1:
		return 0, fmt.Errorf("opening state: %w", damaged(path, "it has no version"))
	}
	return version, nil
}

// openWriting opens the existing file at path with one connection whose
// commits are durable when they return.
func openWriting(path string, options ...string) (*sql.DB, error) {
	options = append(options, "mode=rw", "_busy_timeout=10000", "_journal_mode=WAL", "_synchronous=FULL",
		"_pragma=cache_size(-16384)", "_pragma=cell_size_check(1)")
	db, err := sql.Open("sqlite", dsn(path, options...))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return db, nil
}
