// Package parquet reads the flat columns of Parquet files: texts, labels and
// ids, one row at a time.
//
//	f, err := parquet.Open(file, size)
//	texts, err := f.Column("text")
//	for {
//		text, err := texts.Next() // io.EOF after the last row
//	}
//
// It is a small part of the format, chosen so that a damaged or hostile file
// is an error and never costs more memory than a page: no size that the file
// states is believed before it is checked. Read are columns of the top level
// that are not repeated; data pages of both versions; the encodings PLAIN and
// dictionary; pages as they are or packed with Snappy, gzip or Zstandard. That
// covers what Arrow, pandas and the datasets library write unless told
// otherwise; for the rest there is an error that names what is missing.
//
// The format: https://github.com/apache/parquet-format
package parquet

import (
	"errors"
	"fmt"
	"io"
)

const (
	magic = "PAR1"
	// maxFooterBytes bounds the footer, which is held in memory.
	maxFooterBytes = 16 << 20
	// maxPageBytes bounds a page, packed and unpacked.
	maxPageBytes = 128 << 20
)

// errFormat is under every error about a file that breaks the format.
var errFormat = errors.New("damaged Parquet file")

// A File is an open Parquet file.
type File struct {
	// Rows is the number of rows.
	Rows int64
	// Columns are the columns that can be read, in the order of the schema.
	Columns []Column
	// Metadata holds the writer's own keys and values.
	Metadata map[string]string

	r      io.ReaderAt
	size   int64
	groups []rowGroup
}

// A Column is a column of the top level that is not repeated.
type Column struct {
	Name string
	// Integer says that the values are whole numbers.
	Integer bool

	kind     physicalType
	optional bool
	leaf     int // where the column is in rowGroup.chunks
}

// Open reads the footer of the size bytes of r, which must stay open and
// unchanged for as long as the file is read.
func Open(r io.ReaderAt, size int64) (*File, error) {
	f := &File{r: r, size: size}
	footer, err := f.footer()
	if err != nil {
		return nil, err
	}
	if err := f.parseFooter(footer); err != nil {
		return nil, fmt.Errorf("reading the footer: %w", err)
	}
	return f, nil
}

// Column returns a reader of the named column's values, from the first row on.
func (f *File) Column(name string) (*Reader, error) {
	for _, c := range f.Columns {
		if c.Name == name {
			return &Reader{file: f, column: c}, nil
		}
	}
	return nil, fmt.Errorf("no column %q that can be read", name)
}
