package broker

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"starling"
	"starling/broker/feed"
)

// A Format is how the body of a message is read.
type Format string

const (
	// Unsaid goes by what the source says of the message, see
	// [feed.FormatAttribute], and is Text where it says nothing.
	Unsaid Format = ""
	// Text is the text of the document, in UTF-8.
	Text Format = feed.Text
	// JSON is an object, or a string, which is the text.
	JSON Format = feed.JSON
	// Auto is JSON where the body is a JSON object, else Text.
	Auto Format = "auto"
)

// NoField says that no field of an object is read, instead of the usual one.
const NoField = "-"

// Decoding says how messages become documents. Fields are those of objects, by
// their paths: "text", "user.name", "entries.0.title", where a number counts the
// elements of an array from 0. A key that has points in it is found as well.
type Decoding struct {
	Format Format
	// TextField holds the text, a string. Empty means "text".
	TextField string
	// IDField holds the id, a string or a number, which is taken as it is
	// written. Where it is missing, null or empty, the document has the id that it
	// has without. Empty means "id".
	IDField string
	// TimeField holds the time: RFC 3339, or seconds since 1970, or milliseconds
	// where that is 100,000,000,000 or more. Where it is missing, null or empty,
	// the time is that of the message. Empty means "time".
	TimeField string
	// KeepFields become attributes of the document, named as the paths are;
	// strings as they are, anything else as it is written. What is missing or
	// null is left out.
	KeepFields []string
}

// A Decoder makes documents of messages; nil is one without settings. It may be
// used from many goroutines.
type Decoder struct{ Decoding }

var defaultDecoder = &Decoder{Decoding{}.withDefaults()}

// NewDecoder returns a decoder.
func NewDecoder(d Decoding) (*Decoder, error) {
	switch d.Format {
	case Unsaid, Text, JSON, Auto:
	default:
		return nil, fmt.Errorf("unknown format %q of messages; there are %s, %s and %s", d.Format, Text, JSON, Auto)
	}
	d = d.withDefaults()
	if d.TextField == NoField {
		return nil, errors.New("the text must be in some field")
	}
	return &Decoder{d}, nil
}

func (d Decoding) withDefaults() Decoding {
	for _, field := range []struct {
		name  *string
		usual string
	}{{&d.TextField, "text"}, {&d.IDField, "id"}, {&d.TimeField, "time"}} {
		if *field.name == "" {
			*field.name = field.usual
		}
	}
	return d
}

// maxJSONBytes bounds a message in JSON.
const maxJSONBytes = 1 << 20

var (
	errJSONTooLong = fmt.Errorf("the message is longer than %d bytes", maxJSONBytes)
	errJSONNotUTF8 = errors.New("the message is not valid UTF-8")
	errNotJSON     = errors.New("the message is not valid JSON")
)

// Document makes a document of a message. That of a message which is refused has
// the id alone, as far as it can be used.
func (d *Decoder) Document(m *Message) (starling.Document, error) {
	if d == nil {
		d = defaultDecoder
	}
	document := plain(m)
	if m.Bad != nil {
		return starling.Document{ID: document.ID}, m.Bad
	}
	if !d.isJSON(m) {
		return checked(document)
	}
	if err := d.decode(m.Body, &document); err != nil {
		if checkID(document.ID) != nil {
			document.ID = ""
		}
		return starling.Document{ID: document.ID}, err
	}
	return checked(document)
}

func (d *Decoder) isJSON(m *Message) bool {
	switch d.Format {
	case JSON:
		return true
	case Auto:
		start := bytes.TrimLeft(m.Body, " \t\r\n")
		return len(start) > 0 && start[0] == '{' && len(m.Body) <= maxJSONBytes && json.Valid(m.Body)
	case Unsaid:
		return m.Attributes[feed.FormatAttribute] == feed.JSON
	}
	return false
}

// decode fills in what a body in JSON says of a document.
func (d *Decoder) decode(body []byte, document *starling.Document) error {
	switch {
	case len(body) > maxJSONBytes:
		return errJSONTooLong
	case !utf8.Valid(body):
		return errJSONNotUTF8
	case !json.Valid(body):
		return errNotJSON
	}
	value := json.RawMessage(bytes.TrimSpace(body))
	if value[0] == '"' {
		return setString(&document.Text, value)
	}
	if value[0] != '{' {
		return fmt.Errorf("the message is %s in JSON, want an object or a string", kindOf(value))
	}
	fields, err := membersOf(value)
	if err != nil {
		return err
	}
	return d.fill(fields, document)
}

// fill fills in what the fields of an object say of a document, the id first.
func (d *Decoder) fill(fields members, document *starling.Document) error {
	if err := d.fillID(fields, document); err != nil {
		return err
	}
	if err := d.fillText(fields, document); err != nil {
		return err
	}
	if err := d.fillTime(fields, document); err != nil {
		return err
	}
	for _, path := range d.KeepFields {
		if err := keep(fields, path, document); err != nil {
			return err
		}
	}
	return nil
}

func (d *Decoder) fillID(fields members, document *starling.Document) error {
	value, err := fields.find(d.IDField)
	if err != nil || isNothing(value) || d.IDField == NoField {
		return err
	}
	switch kindOf(value) {
	case aString:
		return setString(&document.ID, value)
	case aNumber:
		document.ID = string(value)
		return nil
	}
	return fmt.Errorf("the field %q is %s, want a string or a number for the id", d.IDField, kindOf(value))
}

func (d *Decoder) fillText(fields members, document *starling.Document) error {
	value, err := fields.find(d.TextField)
	switch {
	case err != nil:
		return err
	case value == nil:
		return fmt.Errorf("the field %q with the text is missing", d.TextField)
	case kindOf(value) != aString:
		return fmt.Errorf("the field %q is %s, want a string for the text", d.TextField, kindOf(value))
	}
	return setString(&document.Text, value)
}

func (d *Decoder) fillTime(fields members, document *starling.Document) error {
	value, err := fields.find(d.TimeField)
	if err != nil || isNothing(value) || d.TimeField == NoField {
		return err
	}
	if document.Time, err = timeOf(value); err != nil {
		return fmt.Errorf("the field %q: %w", d.TimeField, err)
	}
	return nil
}

// keep makes a field an attribute.
func keep(fields members, path string, document *starling.Document) error {
	value, err := fields.find(path)
	if err != nil || value == nil || string(value) == "null" {
		return err
	}
	kept := string(value)
	if kindOf(value) == aString {
		if err := setString(&kept, value); err != nil {
			return err
		}
	}
	if document.Attributes == nil {
		document.Attributes = make(map[string]string)
	}
	document.Attributes[path] = kept
	return nil
}

func setString(to *string, value json.RawMessage) (err error) {
	*to, err = unquote(value)
	return err
}
