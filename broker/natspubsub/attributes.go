package natspubsub

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/nats-io/nats.go"
)

// escapedHeader holds, once for each, the attributes that no header of their
// own can carry, as key=value in URL query escaping.
const escapedHeader = "Starling-Attribute"

var errNotText = errors.New("key or value is not valid UTF-8")

// encodeAttributes writes attributes as NATS headers. One whose key is a plain
// word and whose value is printable ASCII becomes the header of that name, which
// other NATS programs can read; any other is escaped, so that all come back as
// they were. Names that mean something to the server are escaped too.
func encodeAttributes(attributes map[string]string) (nats.Header, error) {
	if len(attributes) == 0 {
		return nil, nil
	}
	header := make(nats.Header, len(attributes))
	for key, value := range attributes {
		if !utf8.ValidString(key) || !utf8.ValidString(value) {
			return nil, fmt.Errorf("attribute %.40q: %w", key, errNotText)
		}
		if plainKey(key) && plainValue(value) {
			header[key] = []string{value}
			continue
		}
		header.Add(escapedHeader, url.QueryEscape(key)+"="+url.QueryEscape(value))
	}
	return header, nil
}

// decodeAttributes is the inverse of encodeAttributes. Of headers that others
// wrote, it leaves out those of the server (Nats-*), joins repeated ones with
// ", ", and keeps an escaped one that is malformed under its header's name.
func decodeAttributes(header nats.Header) map[string]string {
	if len(header) == 0 {
		return nil
	}
	attributes := make(map[string]string, len(header))
	for key, values := range header {
		switch {
		case key == escapedHeader:
			decodeEscaped(attributes, values)
		case !reserved(key):
			attributes[key] = strings.Join(values, ", ")
		}
	}
	return attributes
}

func decodeEscaped(attributes map[string]string, values []string) {
	for _, text := range values {
		escapedKey, escapedValue, found := strings.Cut(text, "=")
		key, keyErr := url.QueryUnescape(escapedKey)
		value, valueErr := url.QueryUnescape(escapedValue)
		if !found || keyErr != nil || valueErr != nil {
			key, value = escapedHeader, text
		}
		attributes[key] = value
	}
}

func plainKey(key string) bool {
	if key == "" || reserved(key) || strings.EqualFold(key, escapedHeader) {
		return false
	}
	for _, c := range []byte(key) {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

func plainValue(value string) bool {
	for _, c := range []byte(value) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return value != "" && value == strings.TrimSpace(value)
}

// reserved says whether a header of that name is the protocol's own: the server
// acts on Nats-*, and a client takes an empty message with Status for a reply.
func reserved(key string) bool {
	const prefix = "nats-"
	return len(key) >= len(prefix) && strings.EqualFold(key[:len(prefix)], prefix) ||
		strings.EqualFold(key, "Status") || strings.EqualFold(key, "Description")
}
