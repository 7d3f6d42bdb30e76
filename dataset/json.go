package dataset

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"unicode/utf8"

	"starling/dataset/rows"
)

// A jsonlDecoder reads JSON lines. The first object decides which keys are
// read.
type jsonlDecoder struct {
	lines  *rows.Lines
	fields fields
	chosen bool
}

func (d *jsonlDecoder) next() (Item, int64, error) {
	line, n, err := d.lines.Filled()
	if err != nil {
		return Item{}, n, err
	}
	if n == 1 && string(bytes.TrimSpace(line)) == "{" {
		return Item{}, n, errors.New("an object over many lines; the file must be JSON lines or an array of objects")
	}
	item, err := decodeObject(line, &d.fields, &d.chosen)
	return item, n, err
}

// decodeObject makes an item of a JSON object. It chooses the fields if that
// is not done yet.
func decodeObject(data []byte, names *fields, chosen *bool) (Item, error) {
	if !utf8.Valid(data) {
		return Item{}, rows.Errorf("not UTF-8")
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil {
		return Item{}, rows.Errorf("parsing a JSON object: %w", err)
	}
	if object == nil {
		return Item{}, rows.Errorf("null where a JSON object belongs")
	}
	if !*chosen {
		var err error
		if *names, err = names.choose(slices.Sorted(maps.Keys(object))); err != nil {
			return Item{}, err
		}
		*chosen = true
	}
	return objectItem(object, *names)
}

func objectItem(object map[string]json.RawMessage, names fields) (Item, error) {
	text := object[names.text]
	if len(text) == 0 || text[0] != '"' {
		return Item{}, rows.Errorf("the field %q is missing or not a string", names.text)
	}
	var v fields
	for _, part := range []struct {
		name string
		into *string
	}{
		{names.text, &v.text}, {names.label, &v.label}, {names.theme, &v.theme},
		{names.id, &v.id}, {names.when, &v.when},
	} {
		var err error
		if *part.into, err = scalar(object[part.name]); err != nil {
			return Item{}, rows.Errorf("the field %q is %w", part.name, err)
		}
	}
	return v.item()
}

// scalar returns a JSON string's value, "" for null and nothing, and numbers
// and booleans as they are written.
func scalar(value json.RawMessage) (string, error) {
	switch {
	case len(value) == 0 || string(value) == "null":
		return "", nil
	case value[0] == '{' || value[0] == '[':
		return "", errors.New("not a single value")
	case value[0] != '"':
		return string(value), nil
	}
	var s string
	err := json.Unmarshal(value, &s)
	return s, err
}

// A jsonDecoder reads an array of JSON objects, whose elements it numbers as
// lines.
type jsonDecoder struct {
	r       *allowance
	json    *json.Decoder
	element int64
	fields  fields
	chosen  bool
}

func newJSONDecoder(r *bufio.Reader, f fields) *jsonDecoder {
	if rows.StartsWith(r, rows.BOM) {
		// Peeked at already, so it is there.
		_, _ = r.Discard(len(rows.BOM))
	}
	a := &allowance{r: r}
	return &jsonDecoder{r: a, json: json.NewDecoder(a), fields: f}
}

func (d *jsonDecoder) next() (Item, int64, error) {
	d.r.left = 2 * rows.MaxBytes
	if d.element == 0 {
		if _, err := d.json.Token(); err != nil {
			return Item{}, 1, arrayError(err)
		}
	}
	d.element++
	if !d.json.More() {
		return Item{}, d.element, d.end()
	}
	var data json.RawMessage
	if err := d.json.Decode(&data); err != nil {
		return Item{}, d.element, arrayError(err)
	}
	if len(data) > rows.MaxBytes {
		return Item{}, d.element, &rows.Error{Err: rows.ErrTooLong}
	}
	item, err := decodeObject(data, &d.fields, &d.chosen)
	return item, d.element, err
}

// end reads the end of the array.
func (d *jsonDecoder) end() error {
	if _, err := d.json.Token(); err != nil {
		return arrayError(err)
	}
	return io.EOF
}

// arrayError is for an array that cannot be read on; its end may be missing.
func arrayError(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("parsing a JSON array: %w", err)
}

// An allowance reads up to left bytes, so that one endless element does not
// fill the memory.
type allowance struct {
	r    io.Reader
	left int
}

func (a *allowance) Read(p []byte) (int, error) {
	if a.left == 0 {
		return 0, rows.ErrTooLong
	}
	n, err := a.r.Read(p[:min(len(p), a.left)])
	a.left -= n
	return n, err
}
