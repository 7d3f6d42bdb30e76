package dataset

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"starling/dataset/rows"
)

// A Format is the form of a file. All but Parquet may be packed with gzip or
// Zstandard.
type Format string

const (
	// Auto goes by the file's extension, else by how its content begins.
	Auto Format = ""
	// JSONLines is one JSON object a line.
	JSONLines Format = "jsonl"
	// JSON is one array of objects, or JSON lines.
	JSON Format = "json"
	// CSV is comma-separated values with a header line, as RFC 4180 says.
	CSV Format = "csv"
	// TSV is tab-separated values with a header line. A value never holds a
	// line end; quotes around it are taken off.
	TSV Format = "tsv"
	// Parquet is Apache Parquet.
	Parquet Format = "parquet"
	// Text is one text a line, without labels.
	Text Format = "text"
	// TextLabel is lines of text;label, parted at the last semicolon.
	TextLabel Format = "text;label"
)

var formats = []Format{JSONLines, JSON, CSV, TSV, Parquet, Text, TextLabel}

func (f Format) check() error {
	if f == Auto || slices.Contains(formats, f) {
		return nil
	}
	return unknownFormat(f)
}

func unknownFormat(f Format) error {
	return fmt.Errorf("unknown format %q; there are %s", f, list(formats))
}

var extensions = map[string]Format{
	".jsonl": JSONLines, ".ndjson": JSONLines, ".json": JSON, ".csv": CSV, ".tsv": TSV,
	".tab": TSV, ".parquet": Parquet, ".txt": Text,
}

// formatOf returns the format that a file's name says, if it does.
func formatOf(name string) Format {
	name = strings.ToLower(filepath.Base(name))
	name = strings.TrimSuffix(strings.TrimSuffix(name, ".gz"), ".zst")
	return extensions[filepath.Ext(name)]
}

// sniffBytes is how much of the content is looked at.
const sniffBytes = 4 << 10

// sniff tells the format of text by its beginning. hint is Auto or JSON.
func sniff(r *bufio.Reader, hint Format) (Format, error) {
	head, err := r.Peek(sniffBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	if bytes.IndexByte(head, 0) >= 0 {
		return "", errors.New("neither text nor Parquet: there are zero bytes in it; text must be UTF-8")
	}
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte(rows.BOM)), " \t\r\n")
	rest, array := bytes.CutPrefix(head, []byte("["))
	rest = bytes.TrimLeft(rest, " \t\r\n")
	switch {
	case array && (hint == JSON || bytes.HasPrefix(rest, []byte("{"))):
		return JSON, nil
	case hint == JSON || bytes.HasPrefix(head, []byte("{")):
		return JSONLines, nil
	}
	return Text, nil
}
