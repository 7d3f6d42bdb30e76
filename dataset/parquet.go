package dataset

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"strconv"

	"starling/dataset/parquet"
)

// A parquetDecoder reads the columns of a Parquet file side by side.
type parquetDecoder struct {
	columns []parquetColumn
	names   []string // that whole numbers of the label column stand for
	row     int64
	rows    int64
}

type parquetColumn struct {
	values *parquet.Reader
	field  func(*fields) *string // where a value goes
}

func newParquetDecoder(r io.Reader, s source) (*parquetDecoder, error) {
	file, ok := r.(*os.File)
	if !ok {
		return nil, errors.New("Parquet can be read from a file alone")
	}
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	f, err := parquet.Open(file, info.Size())
	if err != nil {
		return nil, err
	}
	d := &parquetDecoder{rows: f.Rows}
	return d, d.choose(f, s.fields)
}

// choose opens the columns that hold the parts of an item.
func (d *parquetDecoder) choose(f *parquet.File, want fields) error {
	have := make([]string, len(f.Columns))
	for i, c := range f.Columns {
		have[i] = c.Name
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
		name := *field(&names)
		if name == "" {
			continue
		}
		values, err := f.Column(name)
		if err != nil {
			return err
		}
		d.columns = append(d.columns, parquetColumn{values, field})
	}
	d.names = classNames(f, names.label)
	return nil
}

func (d *parquetDecoder) next() (Item, int64, error) {
	if d.row == d.rows {
		return Item{}, d.row, io.EOF
	}
	d.row++
	var v fields
	for _, c := range d.columns {
		value, err := c.values.Next()
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return Item{}, d.row, err
		}
		*c.field(&v) = value
	}
	if i, err := strconv.Atoi(v.label); err == nil && i >= 0 && i < len(d.names) {
		v.label = d.names[i]
	}
	item, err := v.item()
	return item, d.row, err
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
	// Metadata of another shape has no names, which is no error.
	if err := json.Unmarshal([]byte(f.Metadata["huggingface"]), &about); err != nil {
		return nil
	}
	for _, c := range f.Columns {
		if c.Name == column && c.Integer {
			return about.Info.Features[column].Names
		}
	}
	return nil
}
