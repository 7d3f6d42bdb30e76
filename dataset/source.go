package dataset

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"

	"starling/dataset/rows"
)

// unknownSize is the size of a source that cannot be counted cheaply.
const unknownSize = -1

// A source is a file, or what is read like one.
type source struct {
	name   string // in errors
	format Format
	// plainLabels says that plain lines are [TextLabel].
	plainLabels bool
	fields      fields
	// labels are the names that the numbers from 0 stand for. A label must be
	// one of them or its number; if there are none it may be anything.
	labels []string
	// size is in bytes, before compression.
	size int64
	// again says that open can be called more than once.
	again bool
	open  func() (io.ReadCloser, error)
}

// A decoder reads the items of one file.
type decoder interface {
	// next returns the next item and the line it begins on. The error is
	// io.EOF at the end, a *rows.Error for a line that was passed over, and
	// anything else if reading cannot go on.
	next() (Item, int64, error)
}

// items opens the source and yields its items; see [Collection.Items].
func (s source) items() iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		d, closer, err := s.decoder()
		if err != nil {
			yield(Item{}, fmt.Errorf("reading %s: %w", s.name, err))
			return
		}
		defer closer()
		for {
			item, err := s.item(d)
			if errors.Is(err, io.EOF) {
				return
			}
			if !yield(item, err) || !passable(err) {
				return
			}
		}
	}
}

// item reads an item and puts the place into an error about it.
func (s source) item(d decoder) (Item, error) {
	item, line, err := d.next()
	if err == nil {
		item.Label, err = s.label(item.Label)
	}
	var row *rows.Error
	switch {
	case err == nil:
		item.Line = line
		return item, nil
	case errors.As(err, &row):
		return Item{}, &LineError{File: s.name, Line: line, Err: row.Err}
	case errors.Is(err, io.EOF):
		return Item{}, io.EOF
	}
	return Item{}, fmt.Errorf("reading %s, line %d: %w", s.name, line, err)
}

// label returns the name of a label that may be a number.
func (s source) label(label string) (string, error) {
	if s.labels == nil || slices.Contains(s.labels, label) {
		return label, nil
	}
	if i, err := strconv.Atoi(label); err == nil && i >= 0 && i < len(s.labels) {
		return s.labels[i], nil
	}
	return "", rows.Errorf("unknown label %.40q; there are %s", label, list(s.labels))
}

// decoder opens the source for reading; the function returned closes it.
func (s source) decoder() (decoder, func(), error) {
	file, err := s.open()
	if err != nil {
		return nil, nil, err
	}
	d, closer, err := s.decode(file)
	if err != nil {
		return nil, nil, errors.Join(err, file.Close())
	}
	return d, func() {
		closer()
		// It was read only: closing it can lose nothing.
		_ = file.Close()
	}, nil
}

func (s source) decode(file io.ReadCloser) (decoder, func(), error) {
	r := bufio.NewReaderSize(file, bufferBytes)
	if s.format == Parquet || s.format == Auto && rows.StartsWith(r, "PAR1") {
		d, err := newParquetDecoder(file, s)
		if err != nil {
			return nil, nil, err
		}
		return d, d.close, nil
	}
	r, closer, err := rows.Unpack(r)
	if err != nil {
		return nil, nil, err
	}
	if closer == nil {
		closer = func() {}
	}
	d, err := s.text(r)
	if err != nil {
		closer()
	}
	return d, closer, err
}

// text returns the decoder of a source that is text.
func (s source) text(r *bufio.Reader) (decoder, error) {
	format := s.format
	if format == Auto || format == JSON {
		var err error
		if format, err = sniff(r, format); err != nil {
			return nil, err
		}
	}
	if format == Text && s.plainLabels {
		format = TextLabel
	}
	lines := rows.NewLines(r)
	switch format {
	case JSONLines:
		return &jsonlDecoder{lines: lines, fields: s.fields}, nil
	case JSON:
		return newJSONDecoder(r, s.fields), nil
	case CSV:
		return newTableDecoder(lines, s.fields, ','), nil
	case TSV:
		return newTableDecoder(lines, s.fields, '\t'), nil
	case TextLabel:
		return &textLabelDecoder{lines}, nil
	case Text:
		return &textDecoder{lines}, nil
	}
	return nil, unknownFormat(format)
}
