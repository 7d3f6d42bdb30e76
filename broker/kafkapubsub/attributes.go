package kafkapubsub

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// idAttribute is the attribute that is sent as a record's key as well.
	idAttribute = "id"
	// keyAttribute has the key of a record of others. It is no id: keys of theirs
	// may repeat, and documents of one id count once.
	keyAttribute = "key"
)

var errNotText = errors.New("key or value is not valid UTF-8")

// encodeAttributes writes attributes as record headers, sorted by name.
func encodeAttributes(attributes map[string]string) ([]kgo.RecordHeader, error) {
	headers := make([]kgo.RecordHeader, 0, len(attributes))
	for _, key := range slices.Sorted(maps.Keys(attributes)) {
		value := attributes[key]
		if !utf8.ValidString(key) || !utf8.ValidString(value) {
			return nil, fmt.Errorf("attribute %.40q: %w", key, errNotText)
		}
		headers = append(headers, kgo.RecordHeader{Key: key, Value: []byte(value)})
	}
	return headers, nil
}

// decodeAttributes reads the headers of a record that anyone may have written,
// and its key as the attribute "key" where no header has that name and the key is
// not the id. It returns nil when there is nothing.
func decodeAttributes(record *kgo.Record) map[string]string {
	attributes := make(map[string]string, len(record.Headers))
	for _, header := range record.Headers {
		if utf8.ValidString(header.Key) && utf8.Valid(header.Value) {
			attributes[header.Key] = string(header.Value)
		}
	}
	key := string(record.Key)
	if _, named := attributes[keyAttribute]; !named && key != "" && utf8.ValidString(key) && key != attributes[idAttribute] {
		attributes[keyAttribute] = key
	}
	if len(attributes) == 0 {
		return nil
	}
	return attributes
}
