package filesource

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"starling/broker/feed"
	"starling/dataset/rows"
)

// A record is a line or row of a file.
type record struct {
	id     string
	body   []byte
	format string // of the body, see [feed.FormatAttribute]
	bad    error  // why it cannot be a document, or nil
	line   int64  // where it begins

	from      *generation
	behind    rows.Position // where the reading goes on
	chain     digest        // of all up to here
	head      digest        // of the first headBytes of the file, see position
	headBytes int64
	attempt   int  // deliveries; changed only by who has the record
	settled   bool // guarded by order.mu
}

// A digest is of the records of a generation up to one.
type digest [sha256.Size]byte

func (d digest) add(body []byte) digest {
	h := sha256.New()
	h.Write(d[:])
	h.Write(body)
	return digest(h.Sum(nil))
}

// A decoder makes records of what is in a file.
type decoder interface {
	// next returns the next record, without its place. The error is io.EOF at the
	// end, or why nothing more can be read.
	next() (*record, error)
	// at is the place behind the record read last.
	at() rows.Position
	// resume goes on with other lines.
	resume(*rows.Lines)
}

func newDecoder(lines *rows.Lines, f Format, textColumn string) decoder {
	switch f {
	case CSV:
		return &tableDecoder{table: rows.NewTable(lines, ','), comma: ',', textColumn: textColumn}
	case TSV:
		return &tableDecoder{table: rows.NewTable(lines, '\t'), comma: '\t', textColumn: textColumn}
	}
	return &lineDecoder{lines, string(f)}
}

// finish puts what is wrong with a row into its record.
func finish(r *record, err error) (*record, error) {
	var bad *rows.Error
	if errors.As(err, &bad) {
		r.bad = fmt.Errorf("line %d: %w", r.line, bad.Err)
		return r, nil
	}
	return r, err
}

// A lineDecoder reads a text or a JSON value a line.
type lineDecoder struct {
	lines  *rows.Lines
	format string
}

func (d *lineDecoder) at() rows.Position        { return d.lines.At() }
func (d *lineDecoder) resume(lines *rows.Lines) { d.lines = lines }

func (d *lineDecoder) next() (*record, error) {
	text, line, err := d.lines.Filled()
	return finish(&record{body: bytes.Clone(text), format: d.format, line: line}, err)
}

// A tableDecoder reads CSV and TSV.
type tableDecoder struct {
	table      *rows.Table
	comma      byte
	textColumn string
	names      []string // of the fields in the objects; nil until the header is read
}

func (d *tableDecoder) at() rows.Position { return d.table.At() }

// resume goes on with lines behind the header, which is read.
func (d *tableDecoder) resume(lines *rows.Lines) {
	d.table = rows.NewTable(lines, d.comma)
	d.table.SetHeader(len(d.names))
}

func (d *tableDecoder) readHeader() error {
	header, _, err := d.table.ReadHeader()
	if err != nil {
		return err
	}
	d.names, err = fieldNames(header, d.textColumn)
	return err
}

func (d *tableDecoder) next() (*record, error) {
	if d.names == nil {
		if err := d.readHeader(); err != nil {
			return nil, err
		}
	}
	row, line, err := d.table.Next()
	if errors.Is(err, io.EOF) {
		return nil, err
	}
	r := &record{format: feed.JSON, line: line}
	if err == nil {
		r.body, err = d.object(row)
	}
	if err != nil {
		r.body = bytes.Clone(d.table.Raw())
	}
	return finish(r, err)
}

// object makes a JSON object of a row.
func (d *tableDecoder) object(row []string) ([]byte, error) {
	object := make(map[string]string, len(row))
	for i, value := range row {
		if !utf8.ValidString(value) {
			return nil, rows.Errorf("the column %s is not valid UTF-8", d.names[i])
		}
		object[d.names[i]] = value
	}
	return json.Marshal(object)
}
