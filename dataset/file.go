package dataset

import (
	"bytes"
	_ "embed" // for the sample
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// fileSource is the file at path.
func fileSource(path string, o Options) (source, error) {
	if err := o.Format.check(); err != nil {
		return source{}, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return source{}, err
	}
	if info.IsDir() {
		return source{}, fmt.Errorf("%s is a folder; name a file in it", path)
	}
	s := source{name: path, format: o.Format, plainLabels: o.plainLabels(), fields: o.fields(), size: unknownSize}
	if s.format == Auto {
		s.format = formatOf(path)
	}
	s.open = func() (io.ReadCloser, error) { return os.Open(path) }
	s.again = info.Mode().IsRegular()
	if s.again && !packed(path) {
		s.size = info.Size()
	}
	return s, nil
}

// packed says whether the size of a file is not that of its content.
func packed(path string) bool {
	return strings.HasSuffix(path, ".gz") || strings.HasSuffix(path, ".zst")
}

// stdinSource is standard input.
func stdinSource(o Options) (source, error) {
	if err := o.Format.check(); err != nil {
		return source{}, err
	}
	in := o.Stdin
	if in == nil {
		in = os.Stdin
	}
	s := source{name: "standard input", format: o.Format, plainLabels: o.plainLabels(), fields: o.fields(), size: unknownSize}
	read := false
	s.open = func() (io.ReadCloser, error) {
		if read {
			return nil, errors.New("it was read before and cannot be read again")
		}
		read = true
		return io.NopCloser(in), nil
	}
	return s, nil
}

//go:embed sample.tsv
var sample []byte

// sampleSource is the sample that the program holds.
func sampleSource(o Options) (source, error) {
	if o.Format != Auto || o.TextField != "" || o.IDField != "" || o.TimeField != "" {
		return source{}, errors.New("the sample's form is fixed; of the fields only the label's can be chosen: emotion or theme")
	}
	return source{
		name:   "sample",
		format: TSV,
		fields: fields{label: o.LabelField},
		size:   int64(len(sample)),
		again:  true,
		open:   func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(sample)), nil },
	}, nil
}
