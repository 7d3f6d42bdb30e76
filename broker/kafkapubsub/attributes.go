package kafkapubsub

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"
)

// idAttribute is the attribute that is a record's key as well.
const idAttribute = "id"

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
// and its key where no header is the id. It returns nil when there is nothing.
func decodeAttributes(record *kgo.Record) map[string]string {
	attributes := make(map[string]string, len(record.Headers))
	for _, header := range record.Headers {
		if utf8.ValidString(header.Key) && utf8.Valid(header.Value) {
			attributes[header.Key] = string(header.Value)
		}
	}
	if attributes[idAttribute] == "" && len(record.Key) > 0 && utf8.Valid(record.Key) {
		attributes[idAttribute] = string(record.Key)
	}
	if len(attributes) == 0 {
		return nil
	}
	return attributes
}
