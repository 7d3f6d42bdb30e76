package httpsource

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/semaphore"

	"starling"
	"starling/broker/feed"
)

// client has no connections left when a test is over, and waits with a body that it
// says so of until it is wanted.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, ExpectContinueTimeout: time.Minute}}

func listen(t *testing.T, c Config) *Server {
	t.Helper()
	if c.Address == "" {
		c.Address = "127.0.0.1:0"
	}
	s, err := Listen(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return s
}

// read settles what is posted until the test ends: "bad" in a body is put aside,
// "again" is known, and "back" is given back.
func settleAll(t *testing.T, s *Server) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	t.Cleanup(func() {
		cancel()
		<-done
	})
	go func() {
		defer close(done)
		for seq := int64(1); ; {
			m, err := s.Receive(ctx)
			if err != nil {
				return
			}
			switch body := string(m.Body); {
			case strings.Contains(body, "back"):
				m.Settle(nil)
			case strings.Contains(body, "bad"):
				m.Settle(&feed.Outcome{Document: m.ID, Reason: "bad"})
			case strings.Contains(body, "again"):
				m.Settle(&feed.Outcome{Document: m.ID})
			default:
				m.Settle(&feed.Outcome{Document: m.ID, Seq: seq, Assignment: starling.Assignment{Cluster: 3, Micro: 12, Similarity: 0.5}})
				seq++
			}
		}
	}()
}

func request(t *testing.T, s *Server, contentType, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.Addr().String()+Path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return r
}

func do(t *testing.T, r *http.Request) (*http.Response, string) {
	t.Helper()
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}

// Each document is answered for, in the order of the request.
func TestTheAnswerSaysWhatBecameOfEachDocument(t *testing.T) {
	s := listen(t, Config{})
	settleAll(t, s)
	r := request(t, s, "application/json", `[{"text":"one"},{"text":"again"},{"text":"bad"}]`)
	r.Header.Set("Idempotency-Key", "order-17")
	answer, body := do(t, r)
	want := `{"documents":[{"id":"order-17/0","status":"clustered","update":1,"cluster":3,"micro":12,"similarity":0.5},` +
		`{"id":"order-17/1","status":"known"},{"id":"order-17/2","status":"put aside","reason":"bad"}]}` + "\n"
	if answer.StatusCode != http.StatusOK || body != want {
		t.Errorf("%s: %s want: %s", answer.Status, body, want)
	}
	if got := answer.Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("the Content-Type is %q", got)
	}
}

func TestWhatIsGivenBackIsNotStored(t *testing.T) {
	s := listen(t, Config{})
	settleAll(t, s)
	answer, body := do(t, request(t, s, "text/plain", "one\nback\n"))
	if answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") != "1" ||
		!strings.Contains(body, `{"status":"not stored"}`) || !strings.Contains(body, `"status":"clustered","update":1`) {
		t.Errorf("%s: %s", answer.Status, body)
	}
}

func TestBodies(t *testing.T) {
	object := `{"text":"a"}`
	for _, c := range []struct {
		contentType, body string
		want              []document
	}{
		{"application/json", object, []document{{[]byte(object), feed.JSON}}},
		{"application/json; charset=utf-8", " [" + object + `, "b" ] `, []document{{[]byte(object), feed.JSON}, {[]byte(`"b"`), feed.JSON}}},
		{"application/json", object + "\n" + object, []document{{[]byte(object), feed.JSON}, {[]byte(object), feed.JSON}}},
		{"application/x-ndjson", object + "\r\n\n{broken\n", []document{{[]byte(object), feed.JSON}, {[]byte("{broken"), feed.JSON}}},
		{"text/plain", "one\n\n two \r\n" + object, []document{{[]byte("one"), feed.Text}, {[]byte(" two "), feed.Text}, {[]byte(object), feed.Text}}},
		{"application/x-www-form-urlencoded", object, []document{{[]byte(object), feed.JSON}}},
		{"", "plain", []document{{[]byte("plain"), feed.Text}}},
	} {
		got, err := split([]byte(c.body), c.contentType)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s %q: got %q, %v", c.contentType, c.body, got, err)
		}
	}
}

func TestRefusedRequests(t *testing.T) {
	s := listen(t, Config{})
	settleAll(t, s)
	for _, c := range []struct {
		name, contentType, body string
		change                  func(*http.Request)
		status                  int
		says                    string
	}{
		{"no document", "application/json", "[]", nil, 400, "no document"},
		{"an array that does not end", "application/json", `[{"text":"a"}`, nil, 400, "not JSON at byte"},
		{"more after the array", "application/json", `[1] 2`, nil, 400, "follows the array"},
		{"no JSON", "application/json", `{"text":`, nil, 400, "not JSON at byte"},
		{"too deep", "application/json", strings.Repeat("[", 200_000), nil, 400, "not JSON"},
		{"a picture", "image/png", "a", nil, 415, "application/json"},
		{"packed", "text/plain", "a", func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") }, 415, "Content-Encoding"},
		{"too large", "text/plain", strings.Repeat("a", maxBody+1), func(r *http.Request) { r.Header.Set("Expect", "100-continue") }, 413, "longer than"},
		{"too large, size unknown", "text/plain", "", func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(strings.Repeat("a", maxBody+1))), -1 // read to its end
		}, 413, "longer than"},
		{"too many", "text/plain", strings.Repeat("a\n", maxDocuments+1), nil, 413, "more than 10000 documents"},
		{"another method", "", "", func(r *http.Request) { r.Method = http.MethodGet }, 405, "POST"},
		{"another path", "", "a", func(r *http.Request) { r.URL.Path = "/" }, 404, Path},
		{"a page of another site", "text/plain", "a", func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") }, 403, "another site"},
		{"a name that was given this address", "text/plain", "a", func(r *http.Request) { r.Host = "evil.example:8080" }, 403, "Host"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := request(t, s, c.contentType, c.body)
			if c.change != nil {
				c.change(r)
			}
			answer, body := do(t, r)
			if answer.StatusCode != c.status || !strings.Contains(body, c.says) || !json.Valid([]byte(body)) {
				t.Errorf("%s: %s", answer.Status, body)
			}
		})
	}
}

// When nobody takes documents, as many wait as there is room for, and the others
// are told to come again.
func TestBackPressure(t *testing.T) {
	s := listen(t, Config{})
	s.patience = 10 * time.Millisecond
	s.room = semaphore.NewWeighted(100)
	waiting := make(chan string)
	go func() {
		_, body := do(t, request(t, s, "text/plain", strings.Repeat("a", 90)))
		waiting <- body
	}()
	m, err := s.Receive(t.Context()) // holds the room from now on
	if err != nil {
		t.Fatal(err)
	}
	answer, body := do(t, request(t, s, "text/plain", strings.Repeat("b", 20)))
	if answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "" || !strings.Contains(body, "too many") {
		t.Errorf("%s: %s", answer.Status, body)
	}
	m.Settle(&feed.Outcome{Document: "a"})
	if body := <-waiting; !strings.Contains(body, "known") {
		t.Error(body)
	}
}

// Stopping answers everybody: what was received by what became of it, and the rest
// as not stored.
func TestClosingAnswersTheRequestsThereAre(t *testing.T) {
	s, err := Listen(Config{Address: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan string)
	go func() {
		answer, body := do(t, request(t, s, "text/plain", "one\ntwo\n"))
		answered <- fmt.Sprint(answer.StatusCode, body)
	}()
	m, err := s.Receive(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.Stop(t.Context())
	m.Settle(&feed.Outcome{Document: "one", Seq: 1})
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
	got := <-answered
	if !strings.HasPrefix(got, "503") || !strings.Contains(got, `"id":"one","status":"clustered"`) || !strings.Contains(got, `"not stored"`) {
		t.Error(got)
	}
	if _, err := s.Receive(t.Context()); !errors.Is(err, errStopped) {
		t.Error(err)
	}
}

func TestATokenIsAskedFor(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("a token of some length\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := listen(t, Config{TokenFile: file})
	settleAll(t, s)
	for authorization, want := range map[string]int{
		"": 401, "Bearer": 401, "Bearer wrong": 401, "Basic a token of some length": 401,
		"Bearer a token of some length": 200, "bearer  a token of some length": 200,
	} {
		r := request(t, s, "text/plain", "a")
		r.Host = "starling.example"
		r.Header.Set("Authorization", authorization)
		if answer, body := do(t, r); answer.StatusCode != want {
			t.Errorf("%q: %s: %s", authorization, answer.Status, body)
		}
	}
}

func TestWhereItMayListen(t *testing.T) {
	short := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(short, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		config Config
		says   string
	}{
		{Config{Address: "0.0.0.0:0"}, "--token-file"},
		{Config{Address: ":0"}, "--token-file"},
		{Config{Address: "192.0.2.1:0"}, "--token-file"},
		{Config{Address: "starling.example:0"}, "--token-file"},
		{Config{Address: "127.0.0.1"}, "missing port"},
		{Config{Address: "127.0.0.1:0", TokenFile: short}, "5 bytes, want 16"},
		{Config{Address: "127.0.0.1:0", TokenFile: short + ".absent"}, "no such file"},
	} {
		s, err := Listen(c.config)
		if err == nil {
			_ = s.Close(t.Context())
		}
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: %v", c.config, err)
		}
	}
}
