package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"io"
	"strings"

	"github.com/parquet-go/parquet-go"
)

// A rowWriter writes the rows of an export, one after the other.
type rowWriter[T row] interface {
	write(row T) error
	// close writes what is left. It does not close the file.
	close() error
}

// newRowWriter returns what writes jsonl, csv or parquet.
func newRowWriter[T row](w io.Writer, format string, raw bool) rowWriter[T] {
	switch format {
	case "csv":
		return &csvRows[T]{out: csv.NewWriter(w), raw: raw}
	case "parquet":
		return &parquetRows[T]{out: parquet.NewGenericWriter[T](w, parquet.Compression(&parquet.Zstd))}
	}
	buffered := bufio.NewWriter(w)
	lines := json.NewEncoder(buffered)
	lines.SetEscapeHTML(false)
	return &jsonRows[T]{out: buffered, lines: lines}
}

type jsonRows[T row] struct {
	out   *bufio.Writer
	lines *json.Encoder
}

func (r *jsonRows[T]) write(row T) error { return r.lines.Encode(row) }
func (r *jsonRows[T]) close() error      { return r.out.Flush() }

type csvRows[T row] struct {
	out    *csv.Writer
	raw    bool
	headed bool
}

func (r *csvRows[T]) write(row T) error {
	if err := r.head(); err != nil {
		return err
	}
	cells := row.cells()
	if !r.raw {
		for i := range cells {
			cells[i] = inertCell(cells[i])
		}
	}
	return r.out.Write(cells)
}

// head writes the line of column names.
func (r *csvRows[T]) head() error {
	if r.headed {
		return nil
	}
	r.headed = true
	var row T
	return r.out.Write(row.columns())
}

func (r *csvRows[T]) close() error {
	if err := r.head(); err != nil {
		return err
	}
	r.out.Flush()
	return r.out.Error()
}

// inertCell puts an apostrophe before a cell that a spreadsheet would run as a
// formula (OWASP, "CSV Injection"), and before one that begins with an apostrophe,
// so that it can be taken away again.
func inertCell(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r\n'", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

// parquetGroup is how many rows a row group of a Parquet file has: they are held
// in memory until it is written.
const parquetGroup = 4096

type parquetRows[T row] struct {
	out  *parquet.GenericWriter[T]
	held int
}

func (r *parquetRows[T]) write(row T) error {
	if _, err := r.out.Write([]T{row}); err != nil {
		return err
	}
	if r.held++; r.held < parquetGroup {
		return nil
	}
	r.held = 0
	return r.out.Flush()
}

func (r *parquetRows[T]) close() error { return r.out.Close() }
