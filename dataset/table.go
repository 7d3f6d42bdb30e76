package dataset

import (
	"slices"

	"starling/dataset/rows"
)

// A tableDecoder reads CSV and TSV, whose first line names the columns.
type tableDecoder struct {
	table  *rows.Table
	fields fields // what to read; the names in header after the first line
	header []string
}

func newTableDecoder(lines *rows.Lines, f fields, comma byte) *tableDecoder {
	return &tableDecoder{table: rows.NewTable(lines, comma), fields: f}
}

func (d *tableDecoder) next() (Item, int64, error) {
	if d.header == nil {
		header, n, err := d.table.ReadHeader()
		if err != nil {
			return Item{}, n, err
		}
		if d.fields, err = d.fields.choose(header); err != nil {
			return Item{}, n, err
		}
		d.header = header
	}
	row, n, err := d.table.Next()
	if err != nil {
		return Item{}, n, err
	}
	item, err := d.item(row)
	return item, n, err
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
