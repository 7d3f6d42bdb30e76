package broker

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"unicode/utf8"

	"starling"
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

// Document makes a document of the message: the body is its text, the attribute
// "id" its id, and where there is none the broker's message id. That of a message
// which is refused has the id alone, as far as it can be used.
func (m *Message) Document() (starling.Document, error) {
	document := starling.Document{ID: m.Attributes[idAttribute]}
	if document.ID == "" {
		document.ID = m.ID
	}
	if err := checkID(document.ID); err != nil {
		return starling.Document{}, err
	}
	if err := checkText(m.Body); err != nil {
		return document, err
	}
	if err := checkAttributes(m.Attributes); err != nil {
		return document, err
	}
	document.Text = string(m.Body)
	document.Time = m.Time
	if len(m.Attributes) > 0 {
		document.Attributes = maps.Clone(m.Attributes)
		delete(document.Attributes, idAttribute)
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

func checkText(body []byte) error {
	switch {
	case len(body) > starling.MaxTextBytes:
		return errTooLong
	case !utf8.Valid(body):
		return errNotUTF8
	case strings.TrimSpace(string(body)) == "":
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
