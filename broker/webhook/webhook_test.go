package webhook

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"starling/backoff"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A sink is a web server that answers with the statuses given, one a request, and
// then with 200.
type sink struct {
	*httptest.Server
	statuses []int
	requests []*http.Request
	bodies   []string
}

func newSink(t *testing.T, statuses ...int) *sink {
	s := &sink{statuses: statuses}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		s.requests, s.bodies = append(s.requests, r), append(s.bodies, string(body))
		if len(s.statuses) > 0 {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(s.statuses[0])
			s.statuses = s.statuses[1:]
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func openTopic(t *testing.T, c Config) *Topic {
	t.Helper()
	topic, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	topic.policy = backoff.Policy{Tries: 3, First: time.Millisecond}
	t.Cleanup(topic.Close)
	return topic
}

func TestMessagesArePostedInOrder(t *testing.T) {
	s := newSink(t)
	topic := openTopic(t, Config{URL: s.URL + "/updates?a=b"})
	messages := []Message{
		{Body: []byte("{\"update\": 1,\n \"id\": \"a\"}"), Attributes: map[string]string{"id": "a"}, JSON: true},
		{Body: []byte("a \"text\"\n"), Attributes: map[string]string{"id": "b", "lang": "en"}},
		{Body: []byte(`{"looks":"like JSON"}`)},
	}
	if err := topic.Publish(t.Context(), messages); err != nil {
		t.Fatal(err)
	}
	want := `{"update":1,"id":"a"}` + "\n" + `{"id":"b","text":"a \"text\"\n","attributes":{"lang":"en"}}` + "\n" + `{"text":"{\"looks\":\"like JSON\"}"}` + "\n"
	if len(s.bodies) != 1 || s.bodies[0] != want {
		t.Errorf("got %q, want %q", s.bodies, want)
	}
	if r := s.requests[0]; r.URL.String() != "/updates?a=b" || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/x-ndjson" {
		t.Errorf("got %s %s with %v", r.Method, r.URL, r.Header)
	}
}

func TestRequestsAreBounded(t *testing.T) {
	s := newSink(t)
	topic := openTopic(t, Config{URL: s.URL})
	many := make([]Message, maxMessages+1)
	for i := range many {
		many[i] = Message{Body: []byte("{}"), JSON: true}
	}
	long := Message{Body: []byte(strings.Repeat("a", maxBody))}
	if err := topic.Publish(t.Context(), append(many, long, long)); err != nil {
		t.Fatal(err)
	}
	var lines []int
	for _, body := range s.bodies {
		lines = append(lines, strings.Count(body, "\n"))
	}
	if len(lines) != 4 || lines[0] != maxMessages || lines[1] != 1 || lines[2] != 1 || lines[3] != 1 {
		t.Errorf("requests of %v messages", lines)
	}
}

// What may pass is tried again with the same key and body; what will not is not.
func TestTryingAgain(t *testing.T) {
	for _, c := range []struct {
		statuses []int
		requests int
		refused  bool
		fails    bool
	}{
		{[]int{200}, 1, false, false},
		{[]int{204}, 1, false, false},
		{[]int{503, 429}, 3, false, false},
		{[]int{500, 502, 504}, 3, false, true},
		{[]int{408, 425}, 3, false, false},
		{[]int{400}, 1, true, true},
		{[]int{503, 401}, 2, true, true},
		{[]int{404}, 1, true, true},
		{[]int{307}, 1, true, true},
		{[]int{301}, 1, true, true},
	} {
		s := newSink(t, c.statuses...)
		err := openTopic(t, Config{URL: s.URL}).Publish(t.Context(), []Message{{Body: []byte("{}"), JSON: true}})
		if (err != nil) != c.fails || errors.Is(err, ErrRefused) != c.refused || len(s.requests) != c.requests {
			t.Errorf("%v: %d requests, %v", c.statuses, len(s.requests), err)
		}
		for i, r := range s.requests {
			if key := r.Header.Get("Idempotency-Key"); len(key) != 32 || key != s.requests[0].Header.Get("Idempotency-Key") || s.bodies[i] != "{}\n" {
				t.Errorf("%v: request %d has the key %q and the body %q", c.statuses, i, key, s.bodies[i])
			}
		}
	}
}

// A secret is sent and never shown.
func TestSecrets(t *testing.T) {
	file := filepath.Join(t.TempDir(), "header")
	if err := os.WriteFile(file, []byte("Authorization: Bearer hunter2\nX-Api-Key: hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newSink(t, 400)
	err := openTopic(t, Config{URL: s.URL + "/hunter2?token=hunter2", HeaderFile: file}).Publish(t.Context(), []Message{{Body: []byte("a")}})
	if got := s.requests[0].Header; got.Get("Authorization") != "Bearer hunter2" || got.Get("X-Api-Key") != "hunter2" {
		t.Errorf("the header is %v", got)
	}
	s.Close()
	away := openTopic(t, Config{URL: s.URL + "/hunter2?token=hunter2", HeaderFile: file})
	for _, err := range []error{err, away.Publish(t.Context(), []Message{{Body: []byte("a")}}), away.Check(t.Context())} {
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error is %v", err)
		}
	}
	if err := os.WriteFile(file, []byte("hunter2"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Config{URL: s.URL, HeaderFile: file}); err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "Name: value") {
		t.Errorf("the error is %v", err)
	}
}

func TestCheckSendsNothing(t *testing.T) {
	s := newSink(t)
	if err := openTopic(t, Config{URL: s.URL}).Check(t.Context()); err != nil || len(s.requests) != 0 {
		t.Errorf("%d requests, %v", len(s.requests), err)
	}
}

func TestURLs(t *testing.T) {
	for _, u := range []string{"", "ftp://h/p", "https://", "https:///p", "http://h/p#f", "http://h:port/", "https://%zz"} {
		if _, err := Open(Config{URL: u}); !errors.Is(err, errURL) {
			t.Errorf("%q: %v", u, err)
		}
	}
}
