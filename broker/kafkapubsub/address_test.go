package kafkapubsub

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseURL(t *testing.T) {
	for url, want := range map[string]Address{
		"kafka://h/texts": {Brokers: []string{"h:9092"}, Topic: "texts", Group: "starling", SessionTimeout: 10 * time.Second},
		"kafka://a:1,b,[::1]:2,[::2],10.0.0.1/my.texts_1-2?group=g.1&session_timeout=45s": {
			Brokers: []string{"a:1", "b:9092", "[::1]:2", "[::2]:9092", "10.0.0.1:9092"},
			Topic:   "my.texts_1-2", Group: "g.1", SessionTimeout: 45 * time.Second,
		},
		"kafka://h:9093/t?tls=true&sasl=scram-sha-512&user=bob%40corp&partitions=3": {
			Brokers: []string{"h:9093"}, Topic: "t", Group: "starling", SessionTimeout: 10 * time.Second,
			TLS: true, SASL: "scram-sha-512", User: "bob@corp", Partitions: 3,
		},
	} {
		got, err := ParseURL(url)
		if err != nil {
			t.Errorf("%s: %v", url, err)
		}
		if !slices.Equal(got.Brokers, want.Brokers) || got.Topic != want.Topic || got.Group != want.Group ||
			got.SessionTimeout != want.SessionTimeout || got.TLS != want.TLS || got.SASL != want.SASL ||
			got.User != want.User || got.Partitions != want.Partitions {
			t.Errorf("%s: got %+v, want %+v", url, got, want)
		}
	}
}

func TestParseURLSaysWhatIsWrong(t *testing.T) {
	const form = "want kafka://HOST:PORT[,HOST:PORT]/TOPIC"
	for url, want := range map[string]string{
		"":                             form,
		"nats://h/t":                   form,
		"kafka://":                     form,
		"kafka:///t":                   form,
		"kafka://h,/t":                 form,
		"kafka://h:/t":                 form,
		"kafka://h:65536/t":            form,
		"kafka://h:x/t":                form,
		"kafka://::1/t":                form,
		"kafka://a b/t":                form,
		"kafka://bob@h/t":              form,
		"kafka://h/t#x":                form,
		"kafka://h/t?%":                "malformed parameters",
		"kafka://h":                    `topic name "" in broker URL: want 1 to 249`,
		"kafka://h/a/b":                `topic name "a/b"`,
		"kafka://h/..":                 `topic name ".."`,
		"kafka://h/t?group=":           "parameter group in broker URL: want 1 to 249",
		"kafka://h/t?group=a&group=b":  "parameter group in broker URL: given 2 times",
		"kafka://h/t?partitions=0":     "want a whole number from 1 to 10000",
		"kafka://h/t?tls=1":            "want true or false",
		"kafka://h/t?sasl=gssapi":      "want plain, scram-sha-256 or scram-sha-512",
		"kafka://h/t?session_timeout=": "want a duration from 1s to 30m",
		"kafka://h/t?wait=1":           "unknown; known are group, partitions, sasl, session_timeout, tls, user",
		"kafka://h/t?password=hunter2": "set KAFKA_PASSWORD in the environment",
		"kafka://h" + strings.Repeat(",h", maxBrokers) + "/t": "names 65 hosts, want at most 64",
	} {
		_, err := ParseURL(url)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got the error %v, want %q in it", url, err, want)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error %v shows the password", url, err)
		}
	}
}

func TestTheURLsGroupCountsMost(t *testing.T) {
	for url, want := range map[string]string{"kafka://h/t": "second", "kafka://h/t?group=first": "first"} {
		a, err := ParseURL(url)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.DefaultGroup("second"); err != nil || a.Group != want {
			t.Errorf("%s: the group is %q, %v, want %q", url, a.Group, err, want)
		}
	}
	a, err := ParseURL("kafka://h/t")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.DefaultGroup("two words"); err == nil || !strings.Contains(err.Error(), `consumer group "two words"`) {
		t.Errorf("got the error %v, want one that names the group", err)
	}
}

func FuzzParseURL(f *testing.F) {
	f.Add("kafka://a:1,[::1]:2/t?group=g&session_timeout=1s&partitions=1&tls=true&sasl=plain&user=u")
	f.Add("kafka://,/%?=")
	f.Fuzz(func(t *testing.T, url string) {
		a, err := ParseURL(url)
		if err != nil {
			return
		}
		// What was understood is understood again when it is written plainly.
		again, err := ParseURL("kafka://" + a.servers() + "/" + a.Topic + "?group=" + a.Group)
		if err != nil || !slices.Equal(again.Brokers, a.Brokers) || again.Topic != a.Topic || again.Group != a.Group {
			t.Errorf("%q gave %+v, and that gave %+v, %v", url, a, again, err)
		}
	})
}
