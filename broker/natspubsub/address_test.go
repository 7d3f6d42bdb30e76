package natspubsub

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParseURL(t *testing.T) {
	a, err := ParseURL("tls://nats.example:4333/tweets_1?consumer=second&ack_wait=45s&max_ack_pending=64" +
		"&max_bytes=1048576&max_age=1h")
	if err != nil {
		t.Fatal(err)
	}
	if a.Server != "nats.example:4333" || !a.TLS || a.Stream != "tweets_1" || a.Consumer != "second" ||
		a.AckWait != 45*time.Second || a.MaxAckPending != 64 || a.MaxBytes != 1<<20 || a.MaxAge != time.Hour {
		t.Errorf("got %+v", a)
	}
}

func TestParseURLDefaults(t *testing.T) {
	a, err := ParseURL("nats://[::1]/texts")
	if err != nil {
		t.Fatal(err)
	}
	if a.Server != "[::1]:4222" || a.TLS || a.Consumer != "starling" || a.AckWait != 30*time.Second ||
		a.MaxAckPending != 8192 || a.MaxBytes != 8<<30 || a.MaxAge != 7*24*time.Hour {
		t.Errorf("got %+v", a)
	}
}

func TestDefaultConsumerYieldsToTheURL(t *testing.T) {
	for text, want := range map[string]string{"nats://h/s": "mine", "nats://h/s?consumer=yours": "yours"} {
		a, err := ParseURL(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.DefaultConsumer("mine"); err != nil || a.Consumer != want {
			t.Errorf("%s reads as %s, want %s (%v)", text, a.Consumer, want, err)
		}
	}
	a, _ := ParseURL("nats://h/s")
	if err := a.DefaultConsumer("two words"); err == nil {
		t.Error("a consumer name of two words was taken")
	}
}

func TestParseURLSaysWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "want nats://HOST:PORT/NAME",
		"nats://":                          "want nats://HOST:PORT/NAME",
		"nats:///texts":                    "want nats://HOST:PORT/NAME",
		"http://h/texts":                   "want nats://HOST:PORT/NAME",
		"nats:h/texts":                     "want nats://HOST:PORT/NAME",
		"nats://:4222/texts":               "want nats://HOST:PORT/NAME",
		"nats://h:0/texts":                 "want nats://HOST:PORT/NAME",
		"nats://h:65536/texts":             "want nats://HOST:PORT/NAME",
		"nats://h:port/texts":              "want nats://HOST:PORT/NAME",
		"nats://h/texts#part":              "want nats://HOST:PORT/NAME",
		"nats://h/texts?%zz":               "malformed parameters in broker URL",
		"nats://h":                         `stream name ""`,
		"nats://h/a.b":                     `stream name "a.b" in broker URL: want 1 to 128 letters`,
		"nats://h/a/b":                     `stream name "a/b"`,
		"nats://h/s?ack_wait=5":            `ack_wait in broker URL: want a duration from 1s`,
		"nats://h/s?ack_wait=10ms":         "want a duration from 1s",
		"nats://h/s?max_age=1s":            "want a duration from 1m",
		"nats://h/s?max_ack_pending=1":     "want a whole number from 64 to 65536",
		"nats://h/s?max_bytes=1e9":         "want a whole number from 1048576",
		"nats://h/s?consumer=":             `consumer in broker URL: want 1 to 128`,
		"nats://h/s?consumer=a.b":          `consumer in broker URL: want 1 to 128`,
		"nats://h/s?consumer=a&size=1":     "size",
		"nats://h/s?consumer=a&consumer=b": "consumer in broker URL: given 2 times",
	} {
		if _, err := ParseURL(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseURL(%q) = %v, want %q in it", text, err, want)
		}
	}
}

// TestErrorsKeepSecrets puts a secret where users put theirs, escaped or not,
// and wherever the rest of the URL goes wrong.
func TestErrorsKeepSecrets(t *testing.T) {
	const secret = "hunter2"
	rapid.Check(t, func(t *rapid.T) {
		special := rapid.StringOfN(rapid.RuneFrom([]rune(":/?#[]@%&= \x00é")), 0, 3, -1)
		password := special.Draw(t, "before") + secret + special.Draw(t, "after")
		if rapid.Bool().Draw(t, "escaped") {
			password = url.QueryEscape(password)
		}
		user := rapid.SampledFrom([]string{"", "bob:", ":"}).Draw(t, "user")
		rest := rapid.SampledFrom([]string{"h:4222/s", "h", "h:x/s", "h/a.b", "h/s?x=1", "h/s?consumer=a.b", ""}).Draw(t, "rest")
		_, err := ParseURL("nats://" + user + password + "@" + rest)
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Fatalf("the error shows the password: %v", err)
		}
	})
}

func FuzzParseURL(f *testing.F) {
	f.Add("nats://user:pass@127.0.0.1:4222/texts?consumer=a&ack_wait=1s&max_age=1h&max_bytes=1048576")
	f.Add("tls://[::1]/texts")
	f.Fuzz(func(t *testing.T, text string) {
		a, err := ParseURL(text)
		if err != nil {
			return
		}
		if !name.MatchString(a.Stream) || !name.MatchString(a.Consumer) || a.AckWait < time.Second ||
			a.MaxAckPending < 64 || a.MaxBytes < 1<<20 || a.MaxAge < time.Minute {
			t.Errorf("%q reads as %+v", text, a)
		}
	})
}
