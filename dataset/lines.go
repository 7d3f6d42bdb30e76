package dataset

import (
	"bytes"
	"strings"

	"starling/dataset/rows"
)

const bufferBytes = 64 << 10

// A textDecoder reads a text a line.
type textDecoder struct{ lines *rows.Lines }

func (d *textDecoder) next() (Item, int64, error) {
	line, n, err := d.lines.Filled()
	return Item{Text: string(line)}, n, err
}

// A textLabelDecoder reads lines of text;label.
type textLabelDecoder struct{ lines *rows.Lines }

func (d *textLabelDecoder) next() (Item, int64, error) {
	line, n, err := d.lines.Filled()
	if err != nil {
		return Item{}, n, err
	}
	i := bytes.LastIndexByte(line, ';')
	if i < 0 {
		return Item{}, n, rows.Errorf("no semicolon before a label")
	}
	return Item{Text: string(line[:i]), Label: strings.TrimSpace(string(line[i+1:]))}, n, nil
}
