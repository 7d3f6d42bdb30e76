package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
)

const (
	insertDeadLetter = "INSERT INTO dead_letters (number, message_id, document_id, reason, body, attributes, time, checksum) " +
		"VALUES (?,?,?,?,?,?,?,?) ON CONFLICT (message_id) WHERE message_id <> '' DO NOTHING"
	selectDeadLetters = "SELECT number, message_id, document_id, reason, body, attributes, time, checksum " +
		"FROM dead_letters ORDER BY number LIMIT ?"
)

// A deadLetterRow is a row of the table dead_letters.
type deadLetterRow struct {
	DeadLetter
	number     int64
	attributes *string
	time       *int64
	checksum   int64
}

func (r *deadLetterRow) dest() []any {
	return []any{&r.number, &r.MessageID, &r.DocumentID, &r.Reason, &r.Body, &r.attributes, &r.time, &r.checksum}
}

// newDeadLetterRow makes the row of a dead letter. Text columns hold UTF-8
// only: what came as something else shows U+FFFD there.
func newDeadLetterRow(d DeadLetter, number int64) (deadLetterRow, error) {
	d.MessageID = strings.ToValidUTF8(d.MessageID, "\uFFFD")
	d.DocumentID = strings.ToValidUTF8(d.DocumentID, "\uFFFD")
	d.Reason = strings.ToValidUTF8(d.Reason, "\uFFFD")
	r := deadLetterRow{DeadLetter: d, number: number, time: timeColumn(d.Time)}
	var err error
	if r.attributes, err = jsonColumn(d.Attributes, len(d.Attributes) == 0); err != nil {
		return r, fmt.Errorf("dead letter %q: %w", d.MessageID, err)
	}
	r.checksum = int64(r.sum())
	return r, nil
}

func (r *deadLetterRow) sum() uint32 {
	var b sumBuilder
	b.int(r.number)
	b.string(r.MessageID)
	b.string(r.DocumentID)
	b.string(r.Reason)
	b.bytes(r.Body)
	b.optionalString(r.attributes)
	b.optionalInt(r.time)
	return b.sum()
}

// letter returns what the row with the given number holds. An error says that
// the row is damaged.
func (r *deadLetterRow) letter(path string, number int64) (DeadLetter, error) {
	if r.number != number {
		return DeadLetter{}, damaged(path, fmt.Sprintf("dead letter %d is missing", number))
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
// returns how many there are then if there were count before.
func insertDeadLetters(tx *sql.Tx, letters []DeadLetter, count int64) (int64, error) {
	for _, letter := range letters {
		r, err := newDeadLetterRow(letter, count+1)
		if err != nil {
			return 0, err
		}
		result, err := tx.Exec(insertDeadLetter, r.number, r.MessageID, r.DocumentID, r.Reason, notNull(r.Body),
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

// DeadLetters returns the messages that could not be processed, in the order
// they came; limit 0 means all.
func (s *Store) DeadLetters(ctx context.Context, limit int) ([]DeadLetter, error) {
	tx, p, err := s.view(ctx)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() //nolint:errcheck // it only read
	want := p.deadLetters
	if limit > 0 {
		want = min(want, int64(limit))
	}
	rows, err := tx.QueryContext(ctx, selectDeadLetters, want)
	all, err := collect(s.path, rows, err, (*deadLetterRow).dest)
	if err != nil {
		return nil, err
	}
	letters := make([]DeadLetter, len(all))
	for i := range all {
		if letters[i], err = all[i].letter(s.path, int64(i)+1); err != nil {
			return nil, err
		}
	}
	if n := int64(len(letters)); n < want {
		return nil, damaged(s.path, fmt.Sprintf("dead letter %d is missing", n+1))
	}
	return letters, nil
}
