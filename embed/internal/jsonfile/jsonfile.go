// Package jsonfile reads the JSON objects of a model's folder, which anybody
// may have written: no key twice, names exactly as spelt, sizes bounded.
//
//	object, err := jsonfile.Read("config.json", 1<<20)
//	err = object.Get("hidden_size", &size)
//
// Go's decoder lets the last of two equal keys win and matches the names of
// fields whatever their case; two programs may then read one file differently.
package jsonfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// maxDepth is how deeply values may be nested.
const maxDepth = 32

// An Object holds the members of a JSON object.
type Object map[string]json.RawMessage

// Read reads the object that is all of the file at path, of at most maxBytes.
// Errors name the file; one that does not exist is [io/fs.ErrNotExist].
func Read(path string, maxBytes int64) (Object, error) {
	return read(path, maxBytes, Parse)
}

// ReadList is [Read] for an array of objects.
func ReadList(path string, maxBytes int64) ([]Object, error) {
	return read(path, maxBytes, parseInto[[]Object])
}

func read[T any](path string, maxBytes int64, parse func([]byte) (T, error)) (parsed T, err error) {
	data, err := ReadBounded(path, maxBytes)
	if err != nil {
		return parsed, err
	}
	if parsed, err = parse(data); err != nil {
		return parsed, fmt.Errorf("reading %s: %w", path, err)
	}
	return parsed, nil
}

// ReadBounded reads a regular file of at most maxBytes. Its errors name the file.
func ReadBounded(path string, maxBytes int64) ([]byte, error) {
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() { // a pipe would be waited for
		return nil, fmt.Errorf("reading %s: it is not a file", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxBytes+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > maxBytes {
		return nil, fmt.Errorf("reading %s: the file is longer than %d bytes", path, maxBytes)
	}
	return data, nil
}

// Parse reads the object that is all of data.
func Parse(data []byte) (Object, error) { return parseInto[Object](data) }

func parseInto[T any](data []byte) (parsed T, err error) {
	if err := checkKeys(data); err != nil {
		return parsed, err
	}
	if err := json.Unmarshal(data, &parsed); err != nil {
		return parsed, err
	}
	return parsed, nil
}

// Get decodes the member name into the value that to points at, and leaves the
// value alone where there is no such member or it is null. An error names the
// member.
func (o Object) Get(name string, to any) error {
	raw, ok := o[name]
	if !ok || string(raw) == "null" {
		return nil
	}
	if err := json.Unmarshal(raw, to); err != nil {
		var mistyped *json.UnmarshalTypeError
		if errors.As(err, &mistyped) {
			return fmt.Errorf("%s is a %s, want %s", name, mistyped.Value, mistyped.Type)
		}
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// checkKeys returns an error where an object of data, at any depth, has a key
// twice, or where data is not one JSON value.
func checkKeys(data []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := checkValue(decoder, 0); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more than one JSON value")
	}
	return nil
}

func checkValue(decoder *json.Decoder, depth int) error {
	token, err := decoder.Token()
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	if err != nil {
		return err
	}
	if depth == maxDepth {
		return fmt.Errorf("values are nested more than %d deep", maxDepth)
	}
	switch token {
	case json.Delim('{'):
		err = checkObject(decoder, depth)
	case json.Delim('['):
		err = checkArray(decoder, depth)
	default:
		return nil
	}
	if err != nil {
		return err
	}
	_, err = decoder.Token() // the closing bracket
	return err
}

func checkObject(decoder *json.Decoder, depth int) error {
	seen := make(map[string]struct{})
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return err
		}
		key, ok := token.(string)
		if !ok {
			return fmt.Errorf("%v is not a key", token)
		}
		if _, twice := seen[key]; twice {
			return fmt.Errorf("the key %q is there twice", key)
		}
		seen[key] = struct{}{}
		if err := checkValue(decoder, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func checkArray(decoder *json.Decoder, depth int) error {
	for decoder.More() {
		if err := checkValue(decoder, depth+1); err != nil {
			return err
		}
	}
	return nil
}
