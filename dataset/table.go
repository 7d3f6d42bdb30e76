package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

var errUnclosed = errors.New("a quoted field is not closed")

// A tableDecoder reads CSV, where a quoted field may hold line ends, and TSV,
// where it may not and a field whose quotes do not match is taken literally.
// The first line names the columns.
type tableDecoder struct {
	lines  *lines
	fields fields // what to read; the names in header after the first line
	comma  byte
	header []string
	// ahead are lines that were read in search of a closing quote which did
	// not come: they are read again, as rows of their own. That takes no more
	// than maxColumns readings of a line: a search goes past a line with a
	// quote that is not doubled only if that ends a field, and a line without
	// one opens no field.
	ahead []aheadLine
}

// maxColumns bounds the fields of a row.
const maxColumns = 1000

// An aheadLine is a result of lines.next.
type aheadLine struct {
	text []byte
	line int64
	err  error
}

func (d *tableDecoder) next() (Item, int64, error) {
	if d.header == nil {
		if n, err := d.readHeader(); err != nil {
			return Item{}, n, err
		}
	}
	row, n, err := d.record()
	if err != nil {
		return Item{}, n, err
	}
	if len(row) != len(d.header) {
		return Item{}, n, badRow("%d fields, not %d as in the header", len(row), len(d.header))
	}
	item, err := d.item(row)
	return item, n, err
}

func (d *tableDecoder) readHeader() (int64, error) {
	header, n, err := d.record()
	if errors.Is(err, io.EOF) {
		return n, err
	}
	var row *rowError
	if errors.As(err, &row) {
		err = row.err // without a header no row can be read
	}
	if err != nil {
		return n, fmt.Errorf("reading the header: %w", err)
	}
	for i := range header {
		header[i] = strings.TrimSpace(header[i])
	}
	if d.fields, err = d.fields.choose(header); err != nil {
		return n, err
	}
	d.header = header
	return n, nil
}

func (d *tableDecoder) item(row []string) (Item, error) {
	value := func(name string) string {
		if name == "" {
			return ""
		}
		return row[slices.Index(d.header, name)]
	}
	return fields{
		text:  value(d.fields.text),
		label: value(d.fields.label),
		theme: value(d.fields.theme),
		id:    value(d.fields.id),
		when:  value(d.fields.when),
	}.item()
}

// record reads the next row that is not blank.
func (d *tableDecoder) record() ([]string, int64, error) {
	for {
		line, n, err := d.line()
		if err != nil {
			return nil, n, err
		}
		if len(line) == 0 {
			continue
		}
		r := &record{comma: d.comma, most: d.most()}
		err = r.add(line)
		if d.comma == '\t' && (err != nil || r.open) {
			return strings.SplitN(string(line), "\t", r.most+1), n, nil
		}
		if err == nil && r.open {
			err = d.finish(r)
		}
		return r.fields, n, err
	}
}

// most is the number of fields that a row may have.
func (d *tableDecoder) most() int {
	if d.header == nil {
		return maxColumns
	}
	return len(d.header)
}

// line returns the next line, first of those that were read ahead.
func (d *tableDecoder) line() ([]byte, int64, error) {
	if len(d.ahead) == 0 {
		return d.lines.next()
	}
	a := d.ahead[0]
	d.ahead = d.ahead[1:]
	return a.text, a.line, a.err
}

// finish adds lines to r until its quoted field is closed. If it is not,
// the lines are kept to be read again.
func (d *tableDecoder) finish(r *record) error {
	var read []aheadLine
	err := r.grow(func() ([]byte, error) {
		text, line, err := d.line()
		read = append(read, aheadLine{bytes.Clone(text), line, err})
		return text, err
	})
	if err != nil {
		d.ahead = append(read, d.ahead...)
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
			return &rowError{errUnclosed}
		}
		if r.size += len(text) + 1; r.size > maxLine {
			return badRow("%w within 1 MiB", errUnclosed)
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
			return badRow("more than %d fields", r.most)
		}
		r.fields = append(r.fields, string(r.field))
		r.field = r.field[:0]
		if len(line) == 0 {
			return nil
		}
		if line[0] != r.comma {
			return badRow("text after the closing quote of field %d", len(r.fields))
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
