package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"github.com/gofrs/flock"
)

// A writer appends to the file. There is one per state, in one process.
type writer struct {
	path string
	lock *flock.Flock
	// indexEvery is how many documents wait to be entered into the tables ids
	// and members at most.
	indexEvery int64

	// mu guards the fields up to waiting and orders the transactions.
	mu       sync.Mutex
	db       *sql.DB
	progress progress
	vector   []byte // reused
	// hand is the micro-cluster up to which Trim has swept.
	hand int64

	// placed is what the table micros says as of the last transaction, in part.
	placed placements
	// waiting holds the documents after progress.indexed.
	waiting *waiting
	// filter holds those up to progress.indexed. It is filled by a goroutine
	// that ends before close returns.
	filter  filter
	filling sync.WaitGroup
	stop    context.CancelFunc
}

const insertDocument = "INSERT INTO documents (" + documentColumns + ", embedding_checksum, embedding) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)"

// openWriter opens the file for writing and finds out where it stands.
func (s *Store) openWriter(ctx context.Context) error {
	w := s.writer
	var err error
	if w.db, err = openWriting(s.path); err != nil {
		return explain(s.path, "opening state", err)
	}
	if w.progress, err = readProgress(ctx, s.readers, s.path); err != nil {
		return err
	}
	if w.waiting, err = s.readWaiting(ctx, w.progress); err != nil {
		return err
	}
	filling, stop := context.WithCancel(context.WithoutCancel(ctx))
	w.stop = stop
	w.filling.Go(func() {
		// After an error every id is looked up in the file, where whoever does
		// so meets the error again.
		_ = w.filter.fill(filling, s.readers, s.path)
	})
	return nil
}

// stopFilling ends what reads in the background.
func (w *writer) stopFilling() {
	if w.stop != nil {
		w.stop()
	}
	w.filling.Wait()
}

func (w *writer) close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var errs []error
	if w.db != nil {
		errs = append(errs, w.db.Close())
	}
	return errors.Join(append(errs, w.lock.Close())...)
}

// Commit appends a batch. It is durable when Commit returns nil, and not in the
// state at all after an error. It does not keep the batch.
func (s *Store) Commit(ctx context.Context, b Batch) error {
	if s.writer == nil {
		return fmt.Errorf("committing: %w", ErrReadOnly)
	}
	s.writer.mu.Lock()
	defer s.writer.mu.Unlock()
	if err := b.validate(s.writer.progress, s.identity.Dim); err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	return explain(s.path, "committing", s.writer.commit(ctx, b))
}

func (w *writer) commit(ctx context.Context, b Batch) error {
	next := w.progress
	arrived := arrivals(b.Records)
	err := w.transact(ctx, func(tx *sql.Tx) (err error) {
		if next, err = w.insert(ctx, tx, b); err != nil {
			return err
		}
		if len(b.Records) > 0 && next.documents-next.indexed >= w.indexEvery {
			if err := w.waiting.index(ctx, tx, w.path, next.indexed, arrived); err != nil {
				return err
			}
			next.indexed = next.documents
		}
		return next.write(tx)
	})
	if err != nil {
		clear(w.placed) // it is ahead of the table
		return err
	}
	w.progress = next
	w.waiting.erase(b.deleted())
	if next.indexed == next.documents {
		w.filter.add(w.waiting.digests())
		w.filter.add(digestsOf(arrived))
		w.waiting.clear()
	} else {
		w.waiting.add(arrived)
	}
	return nil
}

// transact runs do in a transaction, unless ctx ends before it is committed.
// The statements run without ctx: one that may be interrupted takes a goroutine
// to watch over it, and an interrupted connection is thrown away with its
// cache. So do looks at ctx between them.
func (w *writer) transact(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := w.db.Begin()
	if err != nil {
		return err
	}
	if err = do(tx); err == nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = tx.Rollback() // fails where SQLite has rolled back by itself
		return err
	}
	return tx.Commit()
}

// insert writes a batch and returns how far the state is with it.
func (w *writer) insert(ctx context.Context, tx *sql.Tx, b Batch) (next progress, err error) {
	next = w.progress
	next.documents += int64(len(b.Records))
	if err := w.insertRecords(ctx, tx, b.Records); err != nil {
		return next, err
	}
	if err := followMicros(ctx, tx, w.placed, b.Records, b.Edits); err != nil {
		return next, err
	}
	next.edits += int64(len(b.Edits))
	if err := w.insertEdits(ctx, tx, b.Edits, next.indexed); err != nil {
		return next, err
	}
	if err := settle(tx, b.Settled); err != nil {
		return next, err
	}
	next.settled += int64(len(b.Settled))
	if next.deadLetters, err = w.insertDeadLetters(ctx, tx, b.DeadLetters, next.deadLetters); err != nil || b.Snapshot == nil {
		return next, err
	}
	copies := 1
	if len(b.deleted()) > 0 {
		copies = keptSnapshots // in the place of those that know what was deleted
	}
	for range copies {
		next.snapshots++
		if err := b.Snapshot.insert(tx, next.snapshots); err != nil {
			return next, err
		}
	}
	return next, nil
}

func (w *writer) insertRecords(ctx context.Context, tx *sql.Tx, records []Record) error {
	if len(records) == 0 {
		return nil
	}
	insert, err := tx.Prepare(insertDocument)
	if err != nil {
		return err
	}
	defer insert.Close() //nolint:errcheck // the transaction ends with it
	for _, record := range records {
		if err := ctx.Err(); err != nil {
			return err
		}
		row, err := newDocumentRow(record.Update)
		if err != nil {
			return fmt.Errorf("document %q: %w", record.ID, err)
		}
		w.vector = appendVector(w.vector[:0], record.Embedding)
		_, err = insert.Exec(row.seq, row.id, row.text, row.time, row.attributes, row.cluster, row.micro,
			row.similarity, row.events, row.checksum, sumOf(row.seq, w.vector), w.vector)
		if err != nil {
			return err
		}
	}
	return nil
}

// setPublished moves the publishing cursor without waiting for the disk.
func (w *writer) setPublished(ctx context.Context, seq int64) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if seq < 0 || seq > w.progress.documents {
		return fmt.Errorf("update %d of %d", seq, w.progress.documents)
	}
	next := w.progress
	next.published = seq
	return w.moveOn(ctx, next)
}

// setSent moves the cursor of dead letters without waiting for the disk.
func (w *writer) setSent(ctx context.Context, number int64) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if number < 0 || number > w.progress.deadLetters {
		return fmt.Errorf("dead letter %d of %d", number, w.progress.deadLetters)
	}
	next := w.progress
	next.sent = number
	return w.moveOn(ctx, next)
}

// moveOn writes a progress in which a cursor alone is another.
func (w *writer) moveOn(ctx context.Context, next progress) error {
	if err := w.transactUnsynced(ctx, func(tx *sql.Tx) error { return next.write(tx) }); err != nil {
		return err
	}
	w.progress = next
	return nil
}

// transactUnsynced is transact without waiting for the disk: a power cut may undo
// what it does, and the transactions before it never.
func (w *writer) transactUnsynced(ctx context.Context, do func(*sql.Tx) error) (err error) {
	if _, err := w.db.Exec("PRAGMA synchronous = NORMAL"); err != nil {
		return err
	}
	defer func() {
		_, restored := w.db.Exec("PRAGMA synchronous = FULL")
		err = errors.Join(err, restored)
	}()
	return w.transact(ctx, do)
}
