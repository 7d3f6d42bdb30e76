package dataset

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"

	"github.com/parquet-go/parquet-go"
)

// parquetRows is how many rows are read from a Parquet file at a time.
const parquetRows = 64

// A parquetDecoder reads the rows of a Parquet file.
type parquetDecoder struct {
	groups  []parquet.RowGroup // those not begun
	rows    parquet.Rows       // of the group at hand; nil before the first
	buffer  []parquet.Row
	ready   []parquet.Row // read into buffer and not returned yet
	row     int64
	columns []parquetColumn
	names   []string // that whole numbers of the label column stand for
}

// A parquetColumn is where in a row the value of a field is.
type parquetColumn struct {
	index int
	field func(*fields) *string // where the value goes
}

func newParquetDecoder(r io.Reader, s source) (d *parquetDecoder, err error) {
	defer damagedParquet(&err)
	file, ok := r.(*os.File)
	if !ok {
		return nil, errors.New("reading Parquet needs a file, not a stream")
	}
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	f, err := parquet.OpenFile(file, info.Size(), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, fmt.Errorf("damaged Parquet file: %w", err)
	}
	d = &parquetDecoder{groups: f.RowGroups(), buffer: make([]parquet.Row, parquetRows)}
	return d, d.choose(f, s.fields)
}

// damagedParquet makes an error of a panic, which is what the library has for
// some kinds of damage.
func damagedParquet(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("damaged Parquet file: %v", r)
	}
}

// choose finds the columns that hold the parts of an item: those of the top
// level that hold one value a row.
func (d *parquetDecoder) choose(f *parquet.File, want fields) error {
	var have []string
	columns := make(map[string]*parquet.Column)
	for _, c := range f.Root().Columns() {
		if c.Leaf() && !c.Repeated() {
			have = append(have, c.Name())
			columns[c.Name()] = c
		}
	}
	names, err := want.choose(have)
	if err != nil {
		return err
	}
	for _, field := range []func(*fields) *string{
		func(f *fields) *string { return &f.text },
		func(f *fields) *string { return &f.label },
		func(f *fields) *string { return &f.theme },
		func(f *fields) *string { return &f.id },
		func(f *fields) *string { return &f.when },
	} {
		if column := columns[*field(&names)]; column != nil {
			d.columns = append(d.columns, parquetColumn{column.Index(), field})
		}
	}
	if label := columns[names.label]; label != nil && isInteger(label.Type().Kind()) {
		d.names = classNames(f, names.label)
	}
	return nil
}

func isInteger(k parquet.Kind) bool { return k == parquet.Int32 || k == parquet.Int64 }

func (d *parquetDecoder) next() (item Item, row int64, err error) {
	defer damagedParquet(&err)
	if len(d.ready) == 0 {
		if err := d.read(); err != nil {
			return Item{}, d.row, err
		}
	}
	values := d.ready[0]
	d.ready = d.ready[1:]
	d.row++
	var v fields
	for _, c := range d.columns {
		if i := slices.IndexFunc(values, func(v parquet.Value) bool { return v.Column() == c.index }); i >= 0 && !values[i].IsNull() {
			*c.field(&v) = values[i].String()
		}
	}
	if i, err := strconv.Atoi(v.label); err == nil && i >= 0 && i < len(d.names) {
		v.label = d.names[i]
	}
	item, err = v.item()
	return item, d.row, err
}

// read fills ready from the group at hand, or the next one that has rows.
func (d *parquetDecoder) read() error {
	for {
		if d.rows != nil {
			n, err := d.rows.ReadRows(d.buffer)
			d.ready = d.buffer[:n]
			if n > 0 {
				return nil
			}
			if err != nil && !errors.Is(err, io.EOF) {
				return fmt.Errorf("damaged Parquet file: %w", err)
			}
		}
		if err := d.nextGroup(); err != nil {
			return err
		}
	}
}

// nextGroup begins the next group of rows; after the last it returns io.EOF.
func (d *parquetDecoder) nextGroup() error {
	if d.rows != nil {
		if err := d.rows.Close(); err != nil {
			return err
		}
		d.rows = nil
	}
	if len(d.groups) == 0 {
		return io.EOF
	}
	d.rows, d.groups = d.groups[0].Rows(), d.groups[1:]
	return nil
}

// close ends the reading of a group.
func (d *parquetDecoder) close() {
	if d.rows != nil {
		// It was read only: closing it can lose nothing.
		_ = d.rows.Close()
	}
}

// classNames returns the names of the classes in a column of numbers, which
// the datasets library writes into the file's metadata.
func classNames(f *parquet.File, column string) []string {
	var about struct {
		Info struct {
			Features map[string]struct {
				Names []string `json:"names"`
			} `json:"features"`
		} `json:"info"`
	}
	text, _ := f.Lookup("huggingface")
	// Metadata of another shape has no names, which is no error.
	if err := json.Unmarshal([]byte(text), &about); err != nil {
		return nil
	}
	return about.Info.Features[column].Names
}
