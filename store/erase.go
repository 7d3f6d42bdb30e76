package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"starling"
)

// eraseDocument leaves of a document its number, id, time and events.
const (
	eraseDocument = "UPDATE documents SET text = '', attributes = NULL, cluster = 0, micro = 0, similarity = 0, " +
		"checksum = ?, embedding_checksum = ?, embedding = x'' WHERE seq = ?"
	deleteMember = "DELETE FROM members WHERE micro = ? AND seq = ?"
)

// isErased says whether a document was deleted: it is of no micro-cluster.
func (r *documentRow) isErased() bool { return r.micro == 0 }

// deleted returns the numbers of the documents that a batch deletes.
func (b Batch) deleted() (seqs []int64) {
	for _, e := range b.Edits {
		if e.Kind == starling.EditDelete {
			seqs = append(seqs, e.Document)
		}
	}
	return seqs
}

// validateDeletions says what is wrong with deletions from a journal that holds
// the documents after the one numbered dropped, up to last.
func (b Batch) validateDeletions(dropped, last int64) error {
	seqs := b.deleted()
	if len(seqs) == 0 {
		return nil
	}
	for i, seq := range seqs {
		if seq <= dropped || seq > last || slices.Contains(seqs[:i], seq) {
			return fmt.Errorf("document %d of %d to %d is to be deleted, or twice", seq, dropped+1, last)
		}
	}
	if len(b.Records) > 0 {
		return errors.New("documents are to be deleted while others are added")
	}
	// What is deleted cannot be applied again.
	if b.Snapshot == nil || b.Snapshot.Seq != last {
		return errors.New("documents are to be deleted without a snapshot of what is left")
	}
	return nil
}

// erase takes the text, the attributes and the embedding of a document out of the
// journal, and the document out of its micro-cluster.
func (w *writer) erase(ctx context.Context, tx *sql.Tx, seq, indexed int64) error {
	rows, err := tx.Query(documentsQuery, seq, seq)
	row, err := one(w.path, rows, err, (*documentRow).dest)
	if err != nil {
		return err
	}
	if _, err := row.update(w.path, seq); err != nil {
		return err
	}
	if row.isErased() {
		return fmt.Errorf("document %d was deleted before", seq)
	}
	m := member{row.micro, seq}
	row.text, row.attributes, row.cluster, row.micro, row.similarity = "", nil, 0, 0, 0
	if _, err := tx.Exec(eraseDocument, row.sum(), sumOf(seq, nil), seq); err != nil || seq > indexed {
		return err
	}
	result, err := tx.Exec(deleteMember, m.micro, m.seq)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n != 1 {
		return errors.Join(err, damaged(w.path, fmt.Sprintf("document %d is not of micro-cluster %d", m.seq, m.micro)))
	}
	return addSums(ctx, tx, w.path, map[int64]int64{m.micro: -m.sum()})
}

// Scrub overwrites what was deleted: SQLite keeps what a row was in the unused
// parts of the file and in its log. It is for calling after a commit that deletes.
// It writes the file anew, which takes its time and, meanwhile, as much room again.
// It fails while another process reads the state, and may be called again.
func (s *Store) Scrub(ctx context.Context) error {
	if s.writer == nil {
		return fmt.Errorf("scrubbing: %w", ErrReadOnly)
	}
	s.writer.mu.Lock()
	defer s.writer.mu.Unlock()
	return explain(s.path, "scrubbing", s.writer.scrub(ctx))
}

func (w *writer) scrub(ctx context.Context) error {
	w.filling.Wait() // it reads the log
	if _, err := w.db.ExecContext(ctx, "VACUUM"); err != nil {
		return err
	}
	var busy, logged, moved int64
	if err := w.db.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &logged, &moved); err != nil {
		return err
	}
	if busy != 0 {
		return errors.New("what was deleted is still in its log, which another process reads; end that and try again")
	}
	return nil
}
