package broker

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// errorsOf opens a URL as a source and as a topic and returns the errors.
func errorsOf(url string) []error {
	ctx := context.Background()
	source, sourceErr := OpenSource(ctx, url, SourceOptions{})
	if sourceErr == nil {
		sourceErr = source.Close(ctx)
	}
	topic, topicErr := OpenTopic(ctx, url)
	if topicErr == nil {
		topicErr = topic.Close(ctx)
	}
	return []error{sourceErr, topicErr}
}

func TestErrorsSayWhatIsWrongWithAURL(t *testing.T) {
	const known = "known are awssns://, awssqs://, file:PATH, gcppubsub://, http://, https://, kafka://, mem://, nats://, tls://"
	for url, want := range map[string]string{
		"":                        "no scheme; " + known,
		"texts":                   "no scheme; " + known,
		"localhost:4222/texts":    "no scheme; " + known,
		"nats:texts":              "no scheme; " + known,
		"bob:secret@host://texts": "no scheme; " + known,
		"redis://h/texts":         `unknown scheme "redis"; ` + known,
		"NATS://h/texts":          `unknown scheme "NATS"; ` + known,
		"file://":                 "want file:PATH",
		"file://host/path":        "want file:PATH",
		"file:///path?follow":     "want file:PATH",
		"mem://":                  "want mem://NAME",
		"mem://texts?x=1":         "want mem://NAME",
		"mem://a b":               "want mem://NAME",
		"nats://":                 "want nats://HOST:PORT/NAME",
		"nats://h:port/texts":     "want nats://HOST:PORT/NAME",
		"nats://h/a.b":            "want 1 to 128 letters, digits, '_' or '-'",
		"nats://h/texts?wait=1s":  "parameter wait",
		"tls://":                  "want nats://HOST:PORT/NAME",
		"kafka://":                "want kafka://HOST:PORT[,HOST:PORT]/TOPIC",
		"kafka://h:0/texts":       "want kafka://HOST:PORT[,HOST:PORT]/TOPIC",
		"kafka://h/a:b":           "want 1 to 249 letters",
		"kafka://h/t?wait=1s":     "parameter wait",
		"gcppubsub://texts":       "want gcppubsub://projects/PROJECT/",
		"gcppubsub://projects/p":  "want gcppubsub://projects/PROJECT/",
	} {
		for _, err := range errorsOf(url) {
			if errors.Is(err, errFileTopic) {
				continue // whatever the path is
			}
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: got the error %v, want %q in it", url, err, want)
			}
		}
	}
}

func TestAConsumersNameIsChecked(t *testing.T) {
	server := startNATS(t)
	_, err := OpenSource(t.Context(), server.URL("texts"), SourceOptions{Consumer: "two words"})
	if err == nil || !strings.Contains(err.Error(), `consumer name "two words"`) {
		t.Errorf("got the error %v, want one that names the consumer", err)
	}
}

func TestRedact(t *testing.T) {
	for url, want := range map[string]string{
		"nats://127.0.0.1:4222/texts":       "nats://127.0.0.1:4222/texts",
		"nats://bob:hunter2@h/texts":        "nats://***@h/texts",
		"tls://hunter2@h/texts?consumer=a":  "tls://***@h/texts?consumer=a",
		"nats://bob:hun/te@r2@h:1/texts":    "nats://***@h:1/texts",
		"bob:hunter2@h/texts":               "***@h/texts",
		"bob:hunt://er2@h/texts":            "***@h/texts",
		"redis://bob:hunter2@h":             "***@h",
		"mem://texts":                       "mem://texts",
		"kafka://h/t?password=hunter2&a=b":  "kafka://h/t?password=***&a=b",
		"kafka://h/t?sasl.Password=hunter2": "kafka://h/t?sasl.Password=***",
		"https://h/p?a=b&token=hunter2":     "https://h/p?a=b&token=***",
		"gcppubsub://projects/p/topics/t":   "gcppubsub://projects/p/topics/t",

		"awssqs://h/1/q?secret_access_key=hunter2&region=r": "awssqs://h/1/q?secret_access_key=***&region=r",
		"awssqs://h/1/q?SessionToken=hunter2":               "awssqs://h/1/q?SessionToken=***",
		"azuresb://t?SharedAccessKey=hunter2":               "azuresb://t?SharedAccessKey=***",
		"gcppubsub://projects/p/topics/t?ordering_key=k":    "gcppubsub://projects/p/topics/t?ordering_key=k",
		"": "",
	} {
		if got := Redact(url); got != want {
			t.Errorf("Redact(%q) = %q, want %q", url, got, want)
		}
	}
}

// TestNothingShowsASecret writes a password into URLs, escaped or not, in which
// this or that is wrong besides.
func TestNothingShowsASecret(t *testing.T) {
	const secret = "hunter2"
	noise := rapid.StringOfN(rapid.RuneFrom([]rune(":/?#[]@%&= é\x00")), 0, 4, -1)
	isFile := func(s string) bool { return s == "file" } // has none
	scheme := rapid.SampledFrom(append(slices.DeleteFunc(Schemes(), isFile), "", "redis", "nats:", "NATS"))
	user := rapid.SampledFrom([]string{"", "bob:", ":"})
	// None of these gets as far as connecting.
	rest := rapid.SampledFrom([]string{"", "127.0.0.1:1", "h:port/s", "h/a.b", "h/s?x=1", "projects/p/topics/t"})
	rapid.Check(t, func(t *rapid.T) {
		url := user.Draw(t, "user") + noise.Draw(t, "before") + secret + noise.Draw(t, "after") + "@" + rest.Draw(t, "rest")
		if scheme := scheme.Draw(t, "scheme"); scheme != "" {
			url = scheme + "://" + url
		}
		if redacted := Redact(url); strings.Contains(redacted, secret) {
			t.Errorf("Redact(%q) = %q", url, redacted)
		}
		for _, err := range errorsOf(url) {
			if err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("opening %q gave the error %v", url, err)
			}
		}
	})
}

func FuzzRedact(f *testing.F) {
	f.Add("nats://bob:hunter2@h/texts")
	f.Add("://@")
	f.Fuzz(func(t *testing.T, url string) {
		redacted := Redact(url)
		if secretParameter.MatchString(url) {
			return // TestRedact has examples
		}
		if !strings.Contains(url, "@") || IsFile(url) {
			if redacted != url {
				t.Errorf("Redact(%q) = %q, want it as it was", url, redacted)
			}
			return
		}
		_, tail, _ := strings.Cut(redacted, "***")
		if !strings.HasPrefix(tail, "@") || strings.Count(redacted, "@") > 1 || !strings.HasSuffix(url, tail) {
			t.Errorf("Redact(%q) = %q", url, redacted)
		}
	})
}
