package broker

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"
	"unicode/utf8"

	"starling"
	"starling/broker/feed"
)

const (
	// idAttribute is the attribute of a message that names its document.
	idAttribute = "id"
	// maxIDBytes bounds the id of a document.
	maxIDBytes = 1024
	// maxAttributesBytes bounds the attributes of a document, names included.
	maxAttributesBytes = 64 << 10
)

var (
	errNotUTF8     = errors.New("the text is not valid UTF-8")
	errEmpty       = errors.New("the text is empty")
	errTooLong     = fmt.Errorf("the text is longer than %d bytes", starling.MaxTextBytes)
	errIDTooLong   = fmt.Errorf("the id is longer than %d bytes", maxIDBytes)
	errIDNotUTF8   = errors.New("the id is not valid UTF-8")
	errAttributes  = fmt.Errorf("the attributes are longer than %d bytes", maxAttributesBytes)
	errAttrNotUTF8 = errors.New("an attribute is not valid UTF-8")
)

// Document makes a document of the message as a Decoder without settings does: the
// body is its text, the attribute "id" its id, and where there is none the
// broker's message id. That of a message which is refused has the id alone, as far
// as it can be used.
func (m *Message) Document() (starling.Document, error) { return defaultDecoder.Document(m) }

// plain makes a document of a message whose body is its text.
func plain(m *Message) starling.Document {
	document := starling.Document{ID: m.Attributes[idAttribute], Text: string(m.Body), Time: m.Time}
	if document.ID == "" {
		document.ID = m.ID
	}
	document.Attributes = maps.Clone(m.Attributes)
	delete(document.Attributes, idAttribute)
	delete(document.Attributes, feed.FormatAttribute)
	return document
}

// checked returns a document if it can be one, or what is left of it and why not.
func checked(document starling.Document) (starling.Document, error) {
	if err := checkID(document.ID); err != nil {
		return starling.Document{}, err
	}
	refused := starling.Document{ID: document.ID}
	if err := checkText(document.Text); err != nil {
		return refused, err
	}
	if err := checkAttributes(document.Attributes); err != nil {
		return refused, err
	}
	if err := checkTime(document.Time); err != nil {
		return refused, err
	}
	if len(document.Attributes) == 0 {
		document.Attributes = nil
	}
	return document, nil
}

func checkID(id string) error {
	switch {
	case len(id) > maxIDBytes:
		return errIDTooLong
	case !utf8.ValidString(id):
		return errIDNotUTF8
	}
	return nil
}

func checkText(text string) error {
	switch {
	case len(text) > starling.MaxTextBytes:
		return errTooLong
	case !utf8.ValidString(text):
		return errNotUTF8
	case strings.TrimSpace(text) == "":
		return errEmpty
	}
	return nil
}

func checkAttributes(attributes map[string]string) error {
	size := 0
	for name, value := range attributes {
		size += len(name) + len(value)
		if !utf8.ValidString(name) || !utf8.ValidString(value) {
			return errAttrNotUTF8
		}
	}
	if size > maxAttributesBytes {
		return errAttributes
	}
	return nil
}

// checkTime refuses times that a state cannot hold, as nanoseconds in 64 bits.
func checkTime(t time.Time) error {
	if !t.IsZero() && !time.Unix(0, t.UnixNano()).Equal(t) {
		return fmt.Errorf("the time %v is not of the years 1678 to 2262", t)
	}
	return nil
}
