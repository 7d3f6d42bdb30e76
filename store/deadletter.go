package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"time"
)

const (
	insertDeadLetter = "INSERT INTO dead_letters (number, message_id, document_id, reason, body, attributes, time, checksum) " +
		"VALUES (?,?,?,?,?,?,?,?) ON CONFLICT (message_id) WHERE message_id <> '' DO NOTHING"
	selectDeadLetters = "SELECT number, message_id, document_id, reason, body, attributes, time, checksum " +
		"FROM dead_letters WHERE number > ? ORDER BY number LIMIT ?"
	updateDeadLetter = "UPDATE dead_letters SET reason = ?, checksum = ? WHERE number = ?"
)

// MaxBodyBytes is how much of the body of a dead letter is kept. One that is as
// long may have been cut.
const MaxBodyBytes = 1 << 20

// A deadLetterRow is a row of the table dead_letters.
type deadLetterRow struct {
	DeadLetter
	attributes *string
	time       *int64
	checksum   int64
}

func (r *deadLetterRow) dest() []any {
	return []any{&r.Number, &r.MessageID, &r.DocumentID, &r.Reason, &r.Body, &r.attributes, &r.time, &r.checksum}
}

// newDeadLetterRow makes the row of a dead letter. Text columns hold UTF-8
// only: what came as something else shows U+FFFD there.
func newDeadLetterRow(d DeadLetter, number int64) (deadLetterRow, error) {
	d.MessageID = strings.ToValidUTF8(d.MessageID, "\uFFFD")
	d.DocumentID = strings.ToValidUTF8(d.DocumentID, "\uFFFD")
	d.Reason = strings.ToValidUTF8(d.Reason, "\uFFFD")
	d.Number = number
	if !isStorable(d.Time) {
		d.Time = time.Time{} // which may be why it is a dead letter
	}
	d.Body = d.Body[:min(len(d.Body), MaxBodyBytes)]
	r := deadLetterRow{DeadLetter: d, time: timeColumn(d.Time)}
	var err error
	if r.attributes, err = jsonColumn(d.Attributes, len(d.Attributes) == 0); err != nil {
		return r, fmt.Errorf("dead letter %q: %w", d.MessageID, err)
	}
	r.checksum = int64(r.sum())
	return r, nil
}

func (r *deadLetterRow) sum() uint32 {
	var b sumBuilder
	b.int(r.Number)
	b.string(r.MessageID)
	b.string(r.DocumentID)
	b.string(r.Reason)
	b.bytes(r.Body)
	b.optionalString(r.attributes)
	b.optionalInt(r.time)
	return b.sum()
}

// letter returns what the row holds, whose number is larger than that of the one
// before it. An error says that the row is damaged.
func (r *deadLetterRow) letter(path string, before int64) (DeadLetter, error) {
	number := r.Number
	if number <= before {
		return DeadLetter{}, damaged(path, fmt.Sprintf("dead letter %d comes after %d", number, before))
	}
	if r.checksum != int64(r.sum()) {
		return DeadLetter{}, damaged(path, fmt.Sprintf("dead letter %d does not match its checksum", number))
	}
	d := r.DeadLetter
	d.Time = columnTime(r.time)
	if r.attributes != nil {
		if err := json.Unmarshal([]byte(*r.attributes), &d.Attributes); err != nil {
			return d, damaged(path, fmt.Sprintf("dead letter %d: %v", number, err))
		}
	}
	return d, nil
}

// insertDeadLetters writes those letters whose message has none yet, and
// returns how many there have been then if there were count before. Letters that
// have a number already get another reason.
func (w *writer) insertDeadLetters(ctx context.Context, tx *sql.Tx, letters []DeadLetter, count int64) (int64, error) {
	for _, letter := range letters {
		if letter.Number != 0 {
			if err := w.changeReason(ctx, tx, letter); err != nil {
				return 0, err
			}
			continue
		}
		r, err := newDeadLetterRow(letter, count+1)
		if err != nil {
			return 0, err
		}
		result, err := tx.Exec(insertDeadLetter, r.Number, r.MessageID, r.DocumentID, r.Reason, notNull(r.Body),
			r.attributes, r.time, r.checksum)
		if err != nil {
			return 0, err
		}
		inserted, err := result.RowsAffected()
		if err != nil {
			return 0, err
		}
		count += inserted
	}
	return count, nil
}

// changeReason gives a dead letter that is there another reason.
func (w *writer) changeReason(ctx context.Context, tx *sql.Tx, letter DeadLetter) error {
	rows, err := tx.QueryContext(ctx, selectDeadLetters, letter.Number-1, 1)
	all, err := collect(w.path, rows, err, (*deadLetterRow).dest)
	if err != nil {
		return err
	}
	if len(all) == 0 || all[0].Number != letter.Number {
		return noLetter(letter.Number)
	}
	r := &all[0]
	if _, err := r.letter(w.path, letter.Number-1); err != nil {
		return err
	}
	r.Reason = strings.ToValidUTF8(letter.Reason, "\uFFFD")
	_, err = tx.Exec(updateDeadLetter, r.Reason, r.sum(), letter.Number)
	return err
}

func noLetter(number int64) error { return fmt.Errorf("there is no dead letter %d", number) }

// settle has dead letters leave.
func settle(tx *sql.Tx, numbers []int64) error {
	for _, number := range numbers {
		result, err := tx.Exec("DELETE FROM dead_letters WHERE number = ?", number)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n != 1 {
			return cmp.Or(err, noLetter(number))
		}
	}
	return nil
}

// lettersAtATime is how many dead letters one query of an iteration reads. They
// may be large.
const lettersAtATime = 16

// DeadLetters yields the messages that could not be processed and were not dealt
// with yet, in the order they came.
func (s *Store) DeadLetters(ctx context.Context) iter.Seq2[DeadLetter, error] {
	return func(yield func(DeadLetter, error) bool) {
		before, err := readProgress(ctx, s.readers, s.path)
		for after, n := int64(0), int64(0); err == nil; {
			var page []DeadLetter
			if page, err = s.readLetters(ctx, s.readers, after, lettersAtATime); err != nil {
				break
			}
			for _, letter := range page {
				after, n = letter.Number, n+1
				if !yield(letter, nil) {
					return
				}
			}
			if len(page) < lettersAtATime {
				if err = s.allLetters(ctx, before, n); err == nil {
					return
				}
			}
		}
		yield(DeadLetter{}, err)
	}
}

// DueDeadLetters returns up to limit of the dead letters after the one numbered
// after.
func (s *Store) DueDeadLetters(ctx context.Context, after, limit int64) ([]DeadLetter, error) {
	return s.readLetters(ctx, s.readers, after, limit)
}

// CountDeadLetters returns how many dead letters there are.
func (s *Store) CountDeadLetters(ctx context.Context) (int64, error) {
	p, err := readProgress(ctx, s.readers, s.path)
	return p.deadLetters - p.settled, err
}

// allLetters returns an error unless n dead letters are all there are, or others
// came or left since the state was as far as before.
func (s *Store) allLetters(ctx context.Context, before progress, n int64) error {
	p, err := readProgress(ctx, s.readers, s.path)
	if err != nil || p.deadLetters != before.deadLetters || p.settled != before.settled {
		return err
	}
	if want := p.deadLetters - p.settled; n != want {
		return damaged(s.path, fmt.Sprintf("there are %d dead letters, not %d", n, want))
	}
	return nil
}

// readLetters reads up to limit of the dead letters after the one numbered after.
func (s *Store) readLetters(ctx context.Context, q querier, after, limit int64) ([]DeadLetter, error) {
	rows, err := q.QueryContext(ctx, selectDeadLetters, after, limit)
	all, err := collect(s.path, rows, err, (*deadLetterRow).dest)
	if err != nil {
		return nil, err
	}
	letters := make([]DeadLetter, len(all))
	for i := range all {
		if letters[i], err = all[i].letter(s.path, after); err != nil {
			return nil, err
		}
		after = letters[i].Number
	}
	return letters, nil
}
