package natspubsub

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"gocloud.dev/pubsub/driver"
	"pgregory.net/rapid"
)

// TestAttributesComeBackAsTheyWere sends arbitrary attributes through a server.
func TestAttributesComeBackAsTheyWere(t *testing.T) {
	leaveNothing(t)
	a := address(startEmbedded(t))
	r := openReader(t, a)
	defer r.die()
	topic, err := OpenTopic(t.Context(), r.conn, a)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = topic.Shutdown(context.Background()) }()
	var direct *Topic
	topic.As(&direct)
	key := rapid.OneOf(rapid.StringN(0, 10, -1), rapid.SampledFrom([]string{
		"id", "ID", "Id", "Nats-Msg-Id", "nats-expected-stream", "Status", "Description", escapedHeader, "two words", "a:b",
	}))
	value := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", " ", " padded ", "a\r\nb: c", "100%", "+", "=&"}))
	rapid.Check(t, func(rt *rapid.T) {
		want := rapid.MapOfN(key, value, 0, 6).Draw(rt, "attributes")
		if err := direct.Publish(t.Context(), []*driver.Message{{Metadata: want}}); err != nil {
			rt.Fatal(err)
		}
		m := r.receive(t, 1)[0]
		m.Ack()
		if !maps.Equal(m.Metadata, want) {
			rt.Fatalf("got %q, want %q", m.Metadata, want)
		}
	})
}

func TestPlainAttributesAreHeadersThatOthersCanRead(t *testing.T) {
	header, err := encodeAttributes(map[string]string{"id": "7f3a", "lang": "en"})
	if err != nil || header.Get("id") != "7f3a" || header.Get("lang") != "en" || len(header) != 2 {
		t.Errorf("got %v, %v", header, err)
	}
}

func TestAttributesOfOthers(t *testing.T) {
	got := decodeAttributes(nats.Header{
		"Nats-Msg-Id": {"1"}, "nats-stream": {"s"}, "Status": {"100"},
		"Tag": {"a", "b"}, "id": {"7"}, escapedHeader: {"no equals sign"},
	})
	want := map[string]string{"Tag": "a, b", "id": "7", escapedHeader: "no equals sign"}
	if !maps.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAttributesMustBeText(t *testing.T) {
	for key, value := range map[string]string{"key\xff": "v", "key": "v\xff"} {
		if _, err := encodeAttributes(map[string]string{key: value}); !errors.Is(err, errNotText) ||
			!strings.Contains(err.Error(), "key") {
			t.Errorf("attribute %q=%q: got error %v, want one that names it", key, value, err)
		}
	}
}

// FuzzDecodeAttributes reads the headers of whoever can publish.
func FuzzDecodeAttributes(f *testing.F) {
	f.Add(escapedHeader, "a%20b=c", "%zz=%zz")
	f.Add("Nats-Msg-Id", "", "x")
	f.Fuzz(func(t *testing.T, key, first, second string) {
		attributes := decodeAttributes(nats.Header{key: {first, second}})
		for name := range attributes {
			if key != escapedHeader && (name != key || reserved(name)) {
				t.Errorf("header %q gave the attribute %q", key, name)
			}
		}
	})
}
