package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"github.com/gofrs/flock"

	"starling"
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

	// waiting holds the documents after progress.indexed.
	waiting *waiting
	// filter holds those up to progress.indexed. It is filled by a goroutine
	// that ends before close returns.
	filter  filter
	filling sync.WaitGroup
	stop    context.CancelFunc
}

const (
	insertDocument   = "INSERT INTO documents (" + documentColumns + ", embedding_checksum, embedding) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)"
	insertDeadLetter = "INSERT INTO dead_letters (message_id, document_id, reason, body, attributes, time, checksum) " +
		"VALUES (?,?,?,?,?,?,?) ON CONFLICT DO NOTHING"
	insertSnapshot = "INSERT OR REPLACE INTO snapshots (seq, data, checksum) VALUES (?,?,?)"
	// trimSnapshots keeps two, so that one damaged snapshot costs time only.
	trimSnapshots  = "DELETE FROM snapshots WHERE seq NOT IN (SELECT seq FROM snapshots ORDER BY seq DESC LIMIT 2)"
	updateProgress = "UPDATE progress SET documents = ?, indexed = ?, published = ?, checksum = ? WHERE one = 1"
)

// open opens the file for writing and finds out where it stands.
func (w *writer) open(ctx context.Context, readers querier) error {
	var err error
	if w.db, err = openWriting(w.path); err != nil {
		return explain(w.path, "opening state", err)
	}
	if w.progress, err = readProgress(ctx, readers, w.path); err != nil {
		return err
	}
	if w.waiting, err = readWaiting(ctx, readers, w.path, w.progress.indexed); err != nil {
		return err
	}
	filling, stop := context.WithCancel(context.WithoutCancel(ctx))
	w.stop = stop
	w.filling.Go(func() {
		// After an error every id is looked up in the file, where whoever does
		// so meets the error again.
		_ = w.filter.fill(filling, readers, w.path)
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
	if err := b.validate(s.writer.progress.documents, s.identity.Dim); err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	return explain(s.path, "committing", s.writer.commit(ctx, b))
}

func (w *writer) commit(ctx context.Context, b Batch) error {
	next := w.progress
	next.documents += int64(len(b.Records))
	arrivals := arrivals(b.Records)
	err := w.transact(ctx, func(tx *sql.Tx) error {
		if err := w.insert(ctx, tx, b); err != nil {
			return err
		}
		if next.documents-next.indexed >= w.indexEvery {
			next.indexed = next.documents
			if err := w.waiting.index(ctx, tx, arrivals); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, updateProgress, next.documents, next.indexed, next.published, next.sum())
		return err
	})
	if err != nil {
		return err
	}
	w.progress = next
	if next.indexed == next.documents {
		w.filter.add(w.waiting.digests())
		w.filter.add(digestsOf(arrivals))
		w.waiting.clear()
	} else {
		w.waiting.add(arrivals)
	}
	return nil
}

// transact runs do in a transaction.
func (w *writer) transact(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := w.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

func (w *writer) insert(ctx context.Context, tx *sql.Tx, b Batch) error {
	if err := w.insertRecords(ctx, tx, b.Records); err != nil {
		return err
	}
	if err := followMicros(ctx, tx, b.Records); err != nil {
		return err
	}
	for _, letter := range b.DeadLetters {
		if err := letter.insert(ctx, tx); err != nil {
			return err
		}
	}
	if b.Snapshot == nil {
		return nil
	}
	if _, err := tx.ExecContext(ctx, insertSnapshot, b.Snapshot.Seq, b.Snapshot.Data, sumOf(b.Snapshot.Data)); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, trimSnapshots)
	return err
}

func (w *writer) insertRecords(ctx context.Context, tx *sql.Tx, records []Record) error {
	if len(records) == 0 {
		return nil
	}
	insert, err := tx.PrepareContext(ctx, insertDocument)
	if err != nil {
		return err
	}
	defer insert.Close() //nolint:errcheck // the transaction ends with it
	for _, record := range records {
		row, err := newDocumentRow(record.Update)
		if err != nil {
			return fmt.Errorf("document %q: %w", record.ID, err)
		}
		w.vector = appendVector(w.vector[:0], record.Embedding)
		_, err = insert.ExecContext(ctx, row.seq, row.id, row.text, row.time, row.attributes, row.cluster, row.micro,
			row.similarity, row.events, row.checksum, sumOf(w.vector), w.vector)
		if err != nil {
			return err
		}
	}
	return nil
}

// followMicros keeps the table of micro-clusters and the clusters they are in.
func followMicros(ctx context.Context, tx *sql.Tx, records []Record) error {
	if len(records) == 0 {
		return nil
	}
	place, err := tx.PrepareContext(ctx, "INSERT INTO micros (micro, cluster) VALUES (?1, ?2) "+
		"ON CONFLICT (micro) DO UPDATE SET cluster = ?2 WHERE cluster <> ?2")
	if err != nil {
		return err
	}
	defer place.Close() //nolint:errcheck // the transaction ends with it
	placed := make(map[starling.MicroID]starling.ClusterID)
	for _, record := range records {
		for _, event := range record.Events {
			if event.Kind != starling.Merged {
				continue
			}
			for _, from := range event.From {
				if _, err := tx.ExecContext(ctx, "UPDATE micros SET cluster = ? WHERE cluster = ?", int64(event.To), int64(from)); err != nil {
					return err
				}
			}
			clear(placed)
		}
		if placed[record.Micro] == record.Cluster {
			continue
		}
		if _, err := place.ExecContext(ctx, int64(record.Micro), int64(record.Cluster)); err != nil {
			return err
		}
		placed[record.Micro] = record.Cluster
	}
	return nil
}

// setPublished moves the publishing cursor without waiting for the disk.
func (w *writer) setPublished(ctx context.Context, seq int64) (err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	next := w.progress
	next.published = seq
	if seq < 0 || seq > next.documents {
		return fmt.Errorf("update %d of %d", seq, next.documents)
	}
	if _, err := w.db.ExecContext(ctx, "PRAGMA synchronous = NORMAL"); err != nil {
		return err
	}
	defer func() {
		// Not with ctx, which may have ended: the next commit must be durable.
		_, restored := w.db.ExecContext(context.WithoutCancel(ctx), "PRAGMA synchronous = FULL")
		err = errors.Join(err, restored)
	}()
	if _, err := w.db.ExecContext(ctx, updateProgress, next.documents, next.indexed, next.published, next.sum()); err != nil {
		return err
	}
	w.progress = next
	return nil
}
