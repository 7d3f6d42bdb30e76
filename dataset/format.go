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

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

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

const (
	gzipMagic = "\x1f\x8b"
	zstdMagic = "\x28\xb5\x2f\xfd"
	// zstdWindow is the most memory that unpacking may take: what the zstd
	// command takes without --memory, and a little more.
	zstdWindow = 128 << 20
	// sniffBytes is how much of the content is looked at.
	sniffBytes = 4 << 10
)

// startsWith says whether r begins with prefix, reading nothing of it.
func startsWith(r *bufio.Reader, prefix string) bool {
	head, err := r.Peek(len(prefix))
	return err == nil && string(head) == prefix
}

// decompress undoes gzip and Zstandard, whatever the file is called. The
// function returned frees what that takes.
func decompress(r *bufio.Reader) (*bufio.Reader, func(), error) {
	switch {
	case startsWith(r, gzipMagic):
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, nil, fmt.Errorf("opening gzip: %w", err)
		}
		return bufio.NewReaderSize(z, bufferBytes), func() { _ = z.Close() }, nil
	case startsWith(r, zstdMagic):
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdWindow))
		if err != nil {
			return nil, nil, fmt.Errorf("opening Zstandard: %w", err)
		}
		return bufio.NewReaderSize(z, bufferBytes), z.Close, nil
	}
	return r, func() {}, nil
}

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
