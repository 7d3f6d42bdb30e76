package filesource

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"starling/broker/feed"
	"starling/dataset/rows"
)

// A Format is what is in a file.
type Format string

// The formats.
const (
	Auto Format = ""
	Text Format = feed.Text
	JSON Format = feed.JSON // JSON lines
	CSV  Format = "csv"
	TSV  Format = "tsv"
)

var byExtension = map[string]Format{
	".csv": CSV, ".tsv": TSV, ".tab": TSV, ".jsonl": JSON, ".ndjson": JSON, ".json": JSON, ".txt": Text,
}

// formatOf returns what the name of a file says of it.
func formatOf(path string) Format {
	name := strings.ToLower(filepath.Base(path))
	name = strings.TrimSuffix(strings.TrimSuffix(name, ".gz"), ".zst")
	return byExtension[filepath.Ext(name)]
}

var formats = []Format{Auto, Text, JSON, CSV, TSV}

func (c Config) check() error {
	switch {
	case !slices.Contains(formats, c.Format):
		return fmt.Errorf("unknown format %q of a file; there are text, json (lines), csv and tsv", c.Format)
	case c.Path == Stdin && c.Follow:
		return errors.New("standard input cannot be followed: it is read until it ends")
	case c.Path == Stdin && c.Stdin == nil:
		return errors.New("there is no standard input")
	}
	return nil
}

// errArray says what to do with a file of one JSON array.
var errArray = errors.New("it is one JSON array; of JSON, lines can be read, which `jq -c '.[]'` makes of it")

// errParquet says what to do with a file of Parquet.
var errParquet = errors.New("it is Parquet, of which `starling ingest --dataset` publishes the rows")

const parquetMagic = "PAR1"

// sniffBytes is how much of the content is looked at.
const sniffBytes = 4 << 10

// sniff tells the format by the beginning where it is not known.
func (c Config) sniff(r *bufio.Reader) (Format, error) {
	if rows.StartsWith(r, parquetMagic) {
		return "", errParquet
	}
	f := c.Format
	if f == Auto {
		f = formatOf(c.Path)
	}
	if f != Auto && f != JSON {
		return f, nil
	}
	head := beginning(r)
	rest, array := bytes.CutPrefix(head, []byte("["))
	rest = bytes.TrimLeft(rest, blanks)
	switch {
	case array && (f == JSON || bytes.HasPrefix(rest, []byte("{"))):
		return "", errArray
	case f == JSON || bytes.HasPrefix(head, []byte("{")):
		return JSON, nil
	}
	return Text, nil
}

const blanks = " \t\r\n"

// beginning looks at what comes first but for blanks, and what is behind that if it
// opens an array. It waits for no more than that takes.
func beginning(r *bufio.Reader) []byte {
	for n := 1; ; n = max(n+1, min(r.Buffered(), sniffBytes)) {
		head, err := r.Peek(n)
		if begun := rows.BOM[:min(n, len(rows.BOM)-1)]; err == nil && string(head) == begun {
			continue
		}
		head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte(rows.BOM)), blanks)
		known := len(head) > 0 && (head[0] != '[' || len(bytes.TrimLeft(head[1:], blanks)) > 0)
		if known || err != nil || n >= sniffBytes {
			return head
		}
	}
}

// usual is the field of an object that holds the text where nobody says another.
const usual = "text"

// fieldNames returns the names of the columns as fields of an object. Where nobody
// said which holds the text, the likeliest one is called text.
func fieldNames(header []string, textColumn string) ([]string, error) {
	for i, name := range header {
		if slices.Contains(header[:i], name) {
			return nil, fmt.Errorf("two columns are called %.100q", name)
		}
	}
	if textColumn != "" {
		if !slices.Contains(header, textColumn) {
			return nil, fmt.Errorf("there is no column %q; the header has: %.500s", textColumn, strings.Join(header, ", "))
		}
		return header, nil
	}
	if slices.Contains(header, usual) {
		return header, nil
	}
	for _, name := range rows.TextNames {
		for i, column := range header {
			if strings.ToLower(column) == name {
				names := slices.Clone(header)
				names[i] = usual
				return names, nil
			}
		}
	}
	return nil, fmt.Errorf("no column is called text; say with --text-field which one is, the header has: %.500s",
		strings.Join(header, ", "))
}
