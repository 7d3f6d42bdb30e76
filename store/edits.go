package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"starling"
)

// An EditRecord is one edit as the journal holds it.
type EditRecord struct {
	// Number counts the edits of a state from 1 without gaps.
	Number int64
	// Seq is that of the last document before the edit.
	Seq int64
	starling.Edit
	// Events are what the edit caused.
	Events []starling.Event
}

const (
	insertEdit  = "INSERT INTO edits (number, seq, edit, events, checksum) VALUES (?,?,?,?,?)"
	selectEdits = "SELECT number, seq, edit, events, checksum FROM edits WHERE number > ? ORDER BY number"
)

// An editRow is a row of the table edits.
type editRow struct {
	number, seq int64
	edit        string
	events      *string
	checksum    int64
}

func (r *editRow) dest() []any { return []any{&r.number, &r.seq, &r.edit, &r.events, &r.checksum} }

func newEditRow(e EditRecord) (editRow, error) {
	r := editRow{number: e.Number, seq: e.Seq}
	edit, err := json.Marshal(e.Edit)
	if err != nil {
		return r, err
	}
	r.edit = string(edit)
	if r.events, err = jsonColumn(e.Events, len(e.Events) == 0); err != nil {
		return r, err
	}
	r.checksum = int64(r.sum())
	return r, nil
}

func (r *editRow) sum() uint32 {
	var b sumBuilder
	b.int(r.number)
	b.int(r.seq)
	b.string(r.edit)
	b.optionalString(r.events)
	return b.sum()
}

// record returns what the row with the given number holds. An error says that the
// row is damaged.
func (r *editRow) record(path string, number int64) (EditRecord, error) {
	if r.number != number {
		return EditRecord{}, damaged(path, fmt.Sprintf("edit %d is missing", number))
	}
	if r.checksum != int64(r.sum()) {
		return EditRecord{}, damaged(path, fmt.Sprintf("edit %d does not match its checksum", number))
	}
	e := EditRecord{Number: r.number, Seq: r.seq}
	err := json.Unmarshal([]byte(r.edit), &e.Edit)
	if err == nil && r.events != nil {
		err = json.Unmarshal([]byte(*r.events), &e.Events)
	}
	if err != nil {
		return e, damaged(path, fmt.Sprintf("edit %d: %v", number, err))
	}
	return e, nil
}

// insertEdits writes edits, and takes the documents that they delete out.
func (w *writer) insertEdits(ctx context.Context, tx *sql.Tx, edits []EditRecord, indexed int64) error {
	for _, e := range edits {
		if err := ctx.Err(); err != nil {
			return err
		}
		r, err := newEditRow(e)
		if err != nil {
			return fmt.Errorf("edit %d: %w", e.Number, err)
		}
		if _, err := tx.Exec(insertEdit, r.number, r.seq, r.edit, r.events, r.checksum); err != nil {
			return err
		}
		if e.Kind != starling.EditDelete {
			continue
		}
		if err := w.erase(ctx, tx, e.Document, indexed); err != nil {
			return err
		}
	}
	return nil
}

// Edits returns the edits after the one numbered after, in order.
func (s *Store) Edits(ctx context.Context, after int64) ([]EditRecord, error) {
	tx, p, err := s.view(ctx)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() //nolint:errcheck // it only read
	after = max(0, after)
	rows, err := tx.QueryContext(ctx, selectEdits, after)
	all, err := collect(s.path, rows, err, (*editRow).dest)
	if err != nil {
		return nil, err
	}
	edits := make([]EditRecord, len(all))
	for i := range all {
		if edits[i], err = all[i].record(s.path, after+int64(i)+1); err != nil {
			return nil, err
		}
	}
	if next := after + int64(len(edits)) + 1; next <= p.edits {
		return nil, damaged(s.path, fmt.Sprintf("edit %d is missing", next))
	}
	return edits, nil
}
