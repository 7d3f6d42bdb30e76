package kafkapubsub

import (
	"errors"
	"maps"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"
)

func TestAttributesComeBackAsTheyWere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "attributes")
		headers, err := encodeAttributes(want)
		if err != nil {
			t.Fatal(err)
		}
		if got := decodeAttributes(&kgo.Record{Headers: headers}); !maps.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestAttributesThatAreNotTextAreRefused(t *testing.T) {
	for _, attributes := range []map[string]string{{"a\xff": "b"}, {"a": "b\xff"}} {
		if _, err := encodeAttributes(attributes); !errors.Is(err, errNotText) {
			t.Errorf("%q: got the error %v, want %v", attributes, err, errNotText)
		}
	}
}

func TestHeadersAndKeysOfOthers(t *testing.T) {
	header := func(key, value string) kgo.RecordHeader { return kgo.RecordHeader{Key: key, Value: []byte(value)} }
	for name, c := range map[string]struct {
		record kgo.Record
		want   map[string]string
	}{
		"nothing":                  {kgo.Record{}, nil},
		"a key is no id":           {kgo.Record{Key: []byte("k")}, map[string]string{"key": "k"}},
		"the key of ours":          {kgo.Record{Key: []byte("h"), Headers: []kgo.RecordHeader{header("id", "h")}}, map[string]string{"id": "h"}},
		"a key beside an id":       {kgo.Record{Key: []byte("k"), Headers: []kgo.RecordHeader{header("id", "h")}}, map[string]string{"id": "h", "key": "k"}},
		"a header key counts more": {kgo.Record{Key: []byte("k"), Headers: []kgo.RecordHeader{header("key", "h")}}, map[string]string{"key": "h"}},
		"a binary key is left":     {kgo.Record{Key: []byte{0, 255}}, nil},
		"a binary header is left":  {kgo.Record{Headers: []kgo.RecordHeader{header("a", "\xff"), header("b", "c")}}, map[string]string{"b": "c"}},
		"the last of several":      {kgo.Record{Headers: []kgo.RecordHeader{header("a", "1"), header("a", "2")}}, map[string]string{"a": "2"}},
		"a header without a value": {kgo.Record{Headers: []kgo.RecordHeader{{Key: "a"}}}, map[string]string{"a": ""}},
	} {
		if got := decodeAttributes(&c.record); !maps.Equal(got, c.want) || (got == nil) != (c.want == nil) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
