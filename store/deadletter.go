package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
)

// Text columns hold UTF-8 only. What came as something else shows U+FFFD there;
// the body is kept as it came.
func (d DeadLetter) insert(ctx context.Context, tx *sql.Tx) error {
	attributes, err := jsonColumn(d.Attributes, len(d.Attributes) == 0)
	if err != nil {
		return fmt.Errorf("dead letter %q: %w", d.MessageID, err)
	}
	d.MessageID = strings.ToValidUTF8(d.MessageID, "\uFFFD")
	d.DocumentID = strings.ToValidUTF8(d.DocumentID, "\uFFFD")
	d.Reason = strings.ToValidUTF8(d.Reason, "\uFFFD")
	if d.Body == nil {
		d.Body = []byte{}
	}
	_, err = tx.ExecContext(ctx, insertDeadLetter, d.MessageID, d.DocumentID, d.Reason, d.Body, attributes,
		timeColumn(d.Time), d.sum(attributes))
	return err
}

func (d DeadLetter) sum(attributes *string) uint32 {
	var b sumBuilder
	b.string(d.MessageID)
	b.string(d.DocumentID)
	b.string(d.Reason)
	b.bytes(d.Body)
	b.optionalString(attributes)
	b.optionalInt(timeColumn(d.Time))
	return b.sum()
}

// DeadLetters returns the messages that could not be processed, in the order
// they came; limit 0 means all.
func (s *Store) DeadLetters(ctx context.Context, limit int) ([]DeadLetter, error) {
	type row struct {
		DeadLetter
		number, sum int64
		attributes  *string
		time        *int64
	}
	rows, err := s.readers.QueryContext(ctx, "SELECT number, message_id, document_id, reason, body, attributes, time, checksum "+
		"FROM dead_letters ORDER BY number LIMIT ?", sqlLimit(limit))
	all, err := collect(s.path, rows, err, func(r *row) []any {
		return []any{&r.number, &r.MessageID, &r.DocumentID, &r.Reason, &r.Body, &r.attributes, &r.time, &r.sum}
	})
	if err != nil {
		return nil, err
	}
	letters := make([]DeadLetter, len(all))
	for i, r := range all {
		r.Time = columnTime(r.time)
		if r.sum != int64(r.DeadLetter.sum(r.attributes)) {
			return nil, damaged(s.path, fmt.Sprintf("dead letter %d does not match its checksum", r.number))
		}
		if r.attributes != nil {
			if err := json.Unmarshal([]byte(*r.attributes), &r.Attributes); err != nil {
				return nil, damaged(s.path, fmt.Sprintf("dead letter %d: %v", r.number, err))
			}
		}
		letters[i] = r.DeadLetter
	}
	return letters, nil
}
