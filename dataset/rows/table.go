package rows

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

var errUnclosed = errors.New("a quoted field is not closed")

// A Table reads CSV, where a quoted field may hold line ends, and TSV, where it may
// not and a field whose quotes do not match is taken literally.
type Table struct {
	lines  *Lines
	comma  byte
	fields int      // of a row; 0 until the header is read
	at     Position // behind the line taken last
	raw    []byte   // the lines of the row read last
	// ahead are lines that were read in search of a closing quote which did
	// not come: they are read again, as rows of their own. That takes no more
	// than maxColumns readings of a line: a search goes past a line with a
	// quote that is not doubled only if that ends a field, and a line without
	// one opens no field.
	ahead []aheadLine
}

// maxColumns bounds the fields of a row.
const maxColumns = 1000

// TextNames are names of columns that usually hold texts, in lower case, the likeliest
// first.
var TextNames = []string{"text", "message", "body", "content", "tweet", "textcleaned", "title", "review"}

// An aheadLine is a result of Lines.Next, and the position behind it.
type aheadLine struct {
	text []byte
	line int64
	err  error
	at   Position
}

// NewTable returns a reader of rows, which are comma-separated, or separated by
// another byte: a tab says that it is TSV.
func NewTable(lines *Lines, comma byte) *Table {
	return &Table{lines: lines, comma: comma, at: lines.At()}
}

// ReadHeader reads the first row, which names the columns, without the spaces
// around the names.
func (t *Table) ReadHeader() ([]string, int64, error) {
	header, n, err := t.record()
	if errors.Is(err, io.EOF) {
		return nil, n, err
	}
	var row *Error
	if errors.As(err, &row) {
		err = row.Err // without a header no row can be read
	}
	if err != nil {
		return nil, n, fmt.Errorf("reading the header: %w", err)
	}
	for i := range header {
		header[i] = strings.TrimSpace(header[i])
	}
	t.fields = len(header)
	return header, n, nil
}

// SetHeader says how many columns there are, for lines that are resumed behind
// the header.
func (t *Table) SetHeader(columns int) { t.fields = columns }

// Next returns the next row that is not blank, with a field for each column, and
// the number of its first line. A row that cannot be read is an *Error; io.EOF at
// the end is bare.
func (t *Table) Next() ([]string, int64, error) {
	row, n, err := t.record()
	if err == nil && len(row) != t.fields {
		err = Errorf("%d fields, not %d as in the header", len(row), t.fields)
	}
	if err != nil {
		return nil, n, err
	}
	return row, n, nil
}

// At is the position behind the row read last.
func (t *Table) At() Position { return t.at }

// Raw is the row read last as it is written, without the last line end, and of a
// row that cannot be read its first line. It is valid until the next call.
func (t *Table) Raw() []byte { return t.raw }

// record reads the next row that is not blank.
func (t *Table) record() ([]string, int64, error) {
	for {
		line, n, err := t.line()
		t.raw = append(t.raw[:0], line...)
		if err != nil {
			return nil, n, err
		}
		if len(line) == 0 {
			continue
		}
		r := &record{comma: t.comma, most: t.most()}
		err = r.add(line)
		if t.comma == '\t' && (err != nil || r.open) {
			return strings.SplitN(string(line), "\t", r.most+1), n, nil
		}
		if err == nil && r.open {
			err = t.finish(r)
		}
		return r.fields, n, err
	}
}

// most is the number of fields that a row may have.
func (t *Table) most() int {
	if t.fields == 0 {
		return maxColumns
	}
	return t.fields
}

// line returns the next line, first of those that were read ahead.
func (t *Table) line() ([]byte, int64, error) {
	if len(t.ahead) == 0 {
		line, n, err := t.lines.Next()
		t.at = t.lines.At()
		return line, n, err
	}
	a := t.ahead[0]
	t.ahead = t.ahead[1:]
	t.at = a.at
	return a.text, a.line, a.err
}

// finish adds lines to r until its quoted field is closed. If it is not,
// the lines are kept to be read again.
func (t *Table) finish(r *record) error {
	first, size := t.at, len(t.raw)
	var read []aheadLine
	err := r.grow(func() ([]byte, error) {
		text, line, err := t.line()
		read = append(read, aheadLine{bytes.Clone(text), line, err, t.at})
		t.raw = append(append(t.raw, '\n'), text...)
		return text, err
	})
	if err != nil {
		t.ahead = append(read, t.ahead...)
		t.at, t.raw = first, t.raw[:size]
	}
	return err
}

// A record is a row while it is read from one or more lines.
type record struct {
	comma  byte
	most   int // fields
	fields []string
	field  []byte // the field being read
	open   bool   // field is quoted and not closed yet
	size   int
}

// grow adds lines until the record is complete.
func (r *record) grow(line func() ([]byte, error)) error {
	for r.open {
		text, err := line()
		if err != nil {
			return &Error{errUnclosed}
		}
		if r.size += len(text) + 1; r.size > MaxBytes {
			return Errorf("%w within 1 MiB", errUnclosed)
		}
		if err := r.add(text); err != nil {
			return err
		}
	}
	return nil
}

// add reads the fields of a line, of which the last may stay open.
func (r *record) add(line []byte) error {
	if r.open {
		r.field = append(r.field, '\n')
	}
	for {
		switch {
		case r.open:
			line = r.quoted(line)
		case len(line) > 0 && line[0] == '"':
			r.open = true
			line = r.quoted(line[1:])
		default:
			line = r.unquoted(line)
		}
		if r.open {
			return nil
		}
		if len(r.fields) == r.most {
			return Errorf("more than %d fields", r.most)
		}
		r.fields = append(r.fields, string(r.field))
		r.field = r.field[:0]
		if len(line) == 0 {
			return nil
		}
		if line[0] != r.comma {
			return Errorf("text after the closing quote of field %d", len(r.fields))
		}
		line = line[1:]
	}
}

// unquoted reads a field up to the comma and returns the rest of the line.
func (r *record) unquoted(line []byte) []byte {
	i := bytes.IndexByte(line, r.comma)
	if i < 0 {
		i = len(line)
	}
	r.field = append(r.field, line[:i]...)
	return line[i:]
}

// quoted reads up to the closing quote, if it is there, and returns the rest.
func (r *record) quoted(line []byte) []byte {
	for {
		i := bytes.IndexByte(line, '"')
		if i < 0 {
			r.field = append(r.field, line...)
			return nil
		}
		r.field = append(r.field, line[:i]...)
		line = line[i+1:]
		if len(line) == 0 || line[0] != '"' {
			r.open = false
			return line
		}
		r.field = append(r.field, '"')
		line = line[1:]
	}
}
