package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"starling/embed"
)

func manyTexts(n int) []string {
	texts := make([]string, n)
	for i := range texts {
		texts[i] = strings.Repeat("x", i+1)
	}
	return texts
}

func TestTextsBecomeUnitVectorsInOrder(t *testing.T) {
	s := start(t)
	s.backward = true
	for _, name := range []string{s.openai(), s.tei()} {
		m := open(t, name, Options{MaxTexts: 7})
		texts := manyTexts(50)
		rows, err := m.Embed(t.Context(), texts)
		if err != nil || len(rows) != len(texts) {
			t.Fatalf("%s: %d rows, %v", name, len(rows), err)
		}
		for i, row := range rows {
			wantRow(t, row, texts[i])
		}
		if rows, err := m.Embed(t.Context(), nil); err != nil || len(rows) != 0 {
			t.Errorf("no texts: %v, %v", rows, err)
		}
	}
}

func TestInfoDescribesTheServersModel(t *testing.T) {
	s := start(t)
	host := strings.TrimPrefix(s.URL, "http://")
	m := open(t, s.openai(), Options{})
	info := m.Info()
	if info.Name != s.openai() || info.Dim != 3 || m.Dim() != 3 || info.Description != "small on the server "+host+"." || info.Licence != "NOASSERTION" || len(info.Fingerprint) != 32 {
		t.Errorf("got %+v", info)
	}
	info = open(t, s.tei()+"/", Options{}).Info()
	if want := `BAAI/bge-small-en-v1.5 (revision "5c38ec7c405ec4b44b94cc5a9bb96e735b38267a", float16, cls pooling, 512 tokens) on the server ` + host + "."; info.Name != s.tei() || info.Description != want {
		t.Errorf("got %+v, want %s", info, want)
	}
}

func TestTheFingerprintCoversWhatMayChangeTheVectors(t *testing.T) {
	s := start(t)
	seen := map[string]string{}
	note := func(what, name string) {
		fingerprint := open(t, name, Options{}).Info().Fingerprint
		if other, ok := seen[fingerprint]; ok {
			t.Errorf("%s has the fingerprint of %s", what, other)
		}
		seen[fingerprint] = what
	}
	note("openai", s.openai())
	note("tei", s.tei())
	note("another host", strings.Replace(s.tei(), "127.0.0.1", "localhost", 1))
	s.model = "small-v2"
	note("another model answers", s.openai())
	for _, change := range [][2]string{{"5c38ec7c", "00000000"}, {"float16", "float32"}, {"cls", "mean"}, {"bge-small", "bge-base"}, {`"max_input_length":512`, `"max_input_length":128`}} {
		s.info = strings.Replace(teiAnswer, change[0], change[1], 1)
		note(change[1], s.tei())
	}
	s.info, s.model = strings.Replace(teiAnswer, `"max_client_batch_size":8`, `"max_client_batch_size":4`, 1), "small"
	if again := open(t, s.tei()+"/", Options{MaxTexts: 3}).Info().Fingerprint; seen[again] != "tei" {
		t.Error("the fingerprint depends on how the server is asked")
	}
	s.give(func(string) string { return "[1,2]" })
	note("another dimension", s.openai())
}

func TestRequestsAreBounded(t *testing.T) {
	s := start(t)
	for _, c := range []struct {
		name string
		o    Options
		want string
	}{
		{s.openai(), Options{}, "[32 18]"},
		{s.openai(), Options{MaxTexts: 20}, "[20 20 10]"},
		{s.openai(), Options{MaxTexts: 20, MaxBytes: 100}, "[13 6 4 3 3 3 2 2 2 2 2 2 2 2 2]"},
		{s.tei(), Options{}, "[8 8 8 8 8 8 2]"}, // as /info says
		{s.tei(), Options{MaxTexts: 25}, "[8 8 8 8 8 8 2]"},
		{s.tei(), Options{MaxTexts: 6}, "[6 6 6 6 6 6 6 6 2]"},
	} {
		c.o.Concurrency = 1
		m := open(t, c.name, c.o)
		s.asked()
		if _, err := m.Embed(t.Context(), manyTexts(50)); err != nil {
			t.Fatal(err)
		}
		var sizes []int
		for _, batch := range s.asked() {
			sizes = append(sizes, len(batch))
		}
		if got := fmt.Sprint(sizes); got != c.want {
			t.Errorf("%+v: got %s, want %s", c.o, got, c.want)
		}
	}
}

func TestRequestsCoverEveryTextOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &Model{options: Options{MaxBytes: rapid.IntRange(1, 50).Draw(t, "bytes")}}
		m.maxTexts.Store(int64(rapid.IntRange(1, 10).Draw(t, "texts")))
		texts := rapid.SliceOf(rapid.StringN(1, 30, -1)).Draw(t, "t")
		next := 0
		for first, n := range m.requests(texts) {
			size := 0
			for _, text := range texts[first : first+n] {
				size += len(text)
			}
			if first != next || n < 1 || int64(n) > m.maxTexts.Load() || n > 1 && size > m.options.MaxBytes {
				t.Fatalf("%d texts from %d on, %d bytes", n, first, size)
			}
			next = first + n
		}
		if next != len(texts) {
			t.Fatalf("%d of %d texts", next, len(texts))
		}
	})
}

func TestConcurrencyIsBoundedForAllCallersTogether(t *testing.T) {
	s := start(t)
	m := open(t, s.openai(), Options{MaxTexts: 2, Concurrency: 3})
	s.delay = 5 * time.Millisecond
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, err := m.Embed(t.Context(), manyTexts(20)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if s.most != 3 {
		t.Errorf("%d requests at once, want 3", s.most)
	}
}

func TestABlankTextIsNotSent(t *testing.T) {
	s := start(t)
	m := open(t, s.tei(), Options{})
	s.asked()
	_, err := m.Embed(t.Context(), []string{"a", " \n", "b"})
	wantTextError(t, err, 1, "blank")
	if got := s.asked(); len(got) != 0 {
		t.Errorf("asked for %q", got)
	}
}

func wantTextError(t *testing.T, err error, index int, message string) {
	t.Helper()
	var bad *embed.TextError
	if !errors.As(err, &bad) || bad.Index != index || !strings.Contains(err.Error(), message) {
		t.Errorf("got %v, want one about text %d that says %q", err, index, message)
	}
}

func TestOnlyTheTextThatIsRefusedIsBlamed(t *testing.T) {
	for _, status := range []int{400, 413, 422, 424, 500} {
		s := start(t)
		for _, name := range []string{s.openai(), s.tei()} {
			m := open(t, name, Options{})
			for _, index := range []int{0, 3, 17, 19} {
				texts := manyTexts(20)
				s.refuse(func(batch []string) (int, string) {
					for _, text := range batch {
						if text == texts[index] {
							return status, `{"error":{"message":"input (992 tokens) is too large to process"}}`
						}
					}
					return 0, ""
				})
				_, err := m.Embed(t.Context(), texts)
				wantTextError(t, err, index, "992 tokens")
			}
			s.refuse(nil)
		}
	}
}

func TestAServerThatRefusesEveryTextIsBlamedItself(t *testing.T) {
	s := start(t)
	m := open(t, s.openai(), Options{})
	s.asked()
	s.refuse(func([]string) (int, string) { return 400, `{"message":"the model was unloaded"}` })
	_, err := m.Embed(t.Context(), manyTexts(20))
	var bad *embed.TextError
	if err == nil || errors.As(err, &bad) || !strings.Contains(err.Error(), "the model was unloaded") {
		t.Errorf("got %v", err)
	}
	if n := len(s.asked()); n != 2 {
		t.Errorf("%d requests, want one and one with another text", n)
	}
}

func TestASmallerLimitOfTheServerIsLearnt(t *testing.T) {
	s := start(t)
	m := open(t, s.openai(), Options{Concurrency: 1})
	s.refuse(func(batch []string) (int, string) {
		if len(batch) > 10 {
			return 422, `{"error":"batch size > maximum allowed batch size 10"}`
		}
		return 0, ""
	})
	for range 2 {
		rows, err := m.Embed(t.Context(), manyTexts(32))
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range rows {
			wantRow(t, row, manyTexts(32)[i])
		}
	}
	s.asked()
	if _, err := m.Embed(t.Context(), manyTexts(32)); err != nil {
		t.Fatal(err)
	}
	for _, batch := range s.asked() {
		if len(batch) > 10 {
			t.Errorf("asked for %d texts again", len(batch))
		}
	}
}

func TestVectorsWithoutDirectionAreRefused(t *testing.T) {
	s := start(t)
	m := open(t, s.tei(), Options{})
	for _, vector := range []string{"[0,0,0]", "[null,1,1]", "[1e999,1,1]", "[-1e39,1,1]", "[0,-0.0,1e-60]"} {
		s.give(func(text string) string {
			if text == "xxx" {
				return vector
			}
			return ""
		})
		_, err := m.Embed(t.Context(), manyTexts(6))
		wantTextError(t, err, 2, "no direction")
	}
}

// Python writes NaN as such, which is not JSON.
func TestATextThatMakesTheAnswerUnreadableIsBlamed(t *testing.T) {
	s := start(t)
	m := open(t, s.openai(), Options{})
	s.give(func(text string) string {
		if text == "xxxxx" {
			return "[NaN,1,1]"
		}
		return ""
	})
	_, err := m.Embed(t.Context(), manyTexts(20))
	wantTextError(t, err, 4, "reading the answer")
}

func TestAnswersThatDoNotFitAreRefused(t *testing.T) {
	for want, answer := range map[string]string{
		"2 vectors for 1":                        `{"data":[{"index":0,"embedding":[1,2,3]},{"index":1,"embedding":[1,2,3]}],"model":"small"}`,
		"0 vectors for 1":                        `{"data":[],"model":"small"}`,
		"with the index 1 of 1":                  `{"data":[{"index":1,"embedding":[1,2,3]}],"model":"small"}`,
		"with the index -1 of 1":                 `{"data":[{"index":-1,"embedding":[1,2,3]}],"model":"small"}`,
		"with the index 0 of 1":                  `{"data":[{"index":0}],"model":"small"}`,
		"array of numbers":                       `{"data":[{"index":0,"embedding":"AAAA"}],"model":"small"}`,
		`"[1" is none`:                           `{"data":[{"index":0,"embedding":[[1,2,3]]}],"model":"small"}`,
		"invalid character":                      "<html>",
		"longer than":                            strings.Repeat(" ", maxProbe+1),
		"2 values where it gave 3":               `{"data":[{"index":0,"embedding":[1,2]}],"model":"small"}`,
		`the model "large" where it was "small"`: `{"data":[{"index":0,"embedding":[1,2,3]}],"model":"large"}`,
	} {
		s := start(t)
		m := open(t, s.openai(), Options{})
		s.refuse(func([]string) (int, string) { return http.StatusOK, answer })
		_, err := m.Embed(t.Context(), []string{"a"})
		var bad *embed.TextError
		if err == nil || errors.As(err, &bad) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %.300v, want %q in it", err, want)
		}
	}
}

func TestAnIndexMayBeMissing(t *testing.T) {
	r, err := openAI{}.parse([]byte(`{"data":[{"embedding":[1]},{"embedding":[2]}]}`), 2)
	if err != nil || r.vectors[0][0] != 1 || r.vectors[1][0] != 2 {
		t.Errorf("got %v, %v", r, err)
	}
	if _, err := (openAI{}).parse([]byte(`{"data":[{"index":1,"embedding":[1]},{"index":1,"embedding":[2]}]}`), 2); err == nil {
		t.Error("two vectors with one index were taken")
	}
}

// failing answers the first requests as told and then leads to the server.
func failing(t *testing.T, s *server, times int, fail http.HandlerFunc) (name string, requests *atomic.Int64) {
	t.Helper()
	requests = &atomic.Int64{}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) <= int64(times) {
			fail(w, r)
			return
		}
		s.Config.Handler.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	return "openai+" + proxy.URL + "/v1?model=small", requests
}

func TestPassingFailuresAreTriedAgain(t *testing.T) {
	fails := map[string]http.HandlerFunc{
		"reset": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"cut": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"data":[`)
		},
	}
	for _, status := range []int{424, 429, 500, 502, 503, 504} {
		fails[fmt.Sprint(status)] = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
	}
	for name, fail := range fails {
		model, requests := failing(t, start(t), 2, fail)
		open(t, model, Options{})
		if n := requests.Load(); n != 3 {
			t.Errorf("%s: %d requests", name, n)
		}
		model, requests = failing(t, start(t), 100, fail)
		if _, err := Open(t.Context(), model, quick(Options{})); err == nil || !strings.Contains(err.Error(), "tried 3 times") || requests.Load() != 3 {
			t.Errorf("%s: %d requests, %v", name, requests.Load(), err)
		}
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	model, _ := failing(t, start(t), 1, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	begin := time.Now()
	open(t, model, Options{})
	if took := time.Since(begin); took < time.Second {
		t.Errorf("came back after %v", took)
	}
}

func TestRefusalsSayWhatToDo(t *testing.T) {
	for _, c := range []struct {
		status       int
		key, answer  string
		want, wantNo string
	}{
		{401, "", `{"error":{"message":"You didn't provide an API key.","type":"x"}}`, "set STARLING_REMOTE_KEY or OPENAI_API_KEY to the server's key", ""},
		{401, testKey, `{"error":{"message":"Incorrect API key provided: ` + testKey + `"}}`, "provided: (hidden); set STARLING_REMOTE_KEY or OPENAI_API_KEY to another key", testKey},
		{403, testKey, testKey + "\x1b[2J", "(hidden) [2J; set", "\x1b"},
		{404, "", `{"detail":"Not Found"}`, "Not Found; is the path of the URL right", ""},
		{302, "", "", "redirects are not followed", ""},
		{418, "", `{"object":"error","message":"short and stout"}`, "418 I'm a teapot: short and stout", ""},
		{501, "", strings.Repeat("x", 100_000), "501", strings.Repeat("x", 400)},
	} {
		s := start(t)
		t.Setenv(KeyVariable, c.key)
		s.refuse(func([]string) (int, string) { return c.status, c.answer })
		_, err := Open(t.Context(), s.openai(), quick(Options{}))
		if err == nil || !strings.Contains(err.Error(), c.want) || c.wantNo != "" && strings.Contains(err.Error(), c.wantNo) {
			t.Errorf("%d: got %v, want %q in it", c.status, err, c.want)
		}
		if n := len(s.asked()); n != 1 {
			t.Errorf("%d: %d requests", c.status, n)
		}
	}
}

func TestTheKeyComesFromTheEnvironment(t *testing.T) {
	for _, c := range []struct {
		remote, openai string
		kind           kind
		url            string
		want           string
	}{
		{"a", "b", openai, "https://api.openai.com/v1", "a"},
		{"", "b", openai, "https://api.openai.com/v1", "b"},
		{" ", "b\n", openai, "http://localhost:11434/v1", "b"},
		{"", "b", openai, "http://[::1]:8000/v1", "b"},
		{"", "b", openai, "http://127.1.2.3/v1", "b"},
		{"", "b", openai, "http://10.0.0.5/v1", ""}, // it would be readable on the way
		{"a", "b", openai, "http://10.0.0.5/v1", "a"},
		{"", "b", openai, "http://localhost.example.com/v1", ""},
		{"", "b", tei, "https://gpu", ""},
		{"a", "b", tei, "http://gpu", "a"},
	} {
		t.Setenv(KeyVariable, c.remote)
		t.Setenv(OpenAIKeyVariable, c.openai)
		name := string(c.kind) + "+" + c.url
		if c.kind == openai {
			name += "?model=m"
		}
		a, err := parseAddress(name)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := a.key(); got != c.want || err != nil {
			t.Errorf("%+v: got %q, %v", c, got, err)
		}
	}
	s := start(t)
	t.Setenv(KeyVariable, testKey)
	for _, name := range []string{s.openai(), s.tei()} {
		open(t, name, Options{})
	}
	for _, key := range s.keys {
		if key != "Bearer "+testKey {
			t.Errorf("a request came with %q", key)
		}
	}
}

func TestAKeyIsNeverShown(t *testing.T) {
	s := start(t)
	t.Setenv(KeyVariable, testKey)
	m := open(t, s.openai(), Options{})
	s.refuse(func([]string) (int, string) { return 400, "what is Bearer " + testKey + "?" })
	_, refused := m.Embed(t.Context(), []string{"a"})
	s.Close()
	_, closed := m.Embed(t.Context(), []string{"a"})
	t.Setenv(KeyVariable, testKey+"\r\nx")
	_, broken := Open(t.Context(), s.openai(), Options{})
	for _, err := range []error{refused, closed, broken} {
		if err == nil || strings.Contains(err.Error(), testKey) {
			t.Errorf("got %v", err)
		}
	}
	if all := fmt.Sprintf("%v %+v %#v %+v", m, m, m, m.Info()); strings.Contains(all, testKey) {
		t.Error("printing the model shows the key")
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string]string{
		"openai+https://api.openai.com/v1?model=text-embedding-3-small": "",
		"openai+http://localhost:11434/v1/?model=nomic%2Fembed":         "openai+http://localhost:11434/v1?model=nomic%2Fembed",
		"openai+https://API.openai.com?model=a":                         "openai+https://api.openai.com/v1?model=a",
		"OPENAI+HTTP://h/proxy/v1?model=a":                              "openai+http://h/proxy/v1?model=a",
		"tei+http://gpu:8080":                                           "",
		"tei+https://[::1]:8080/a/b/":                                   "tei+https://[::1]:8080/a/b",
	} {
		a, err := parseAddress(name)
		if want == "" {
			want = name
		}
		if err != nil || a.String() != want || !Is(name) {
			t.Errorf("%s: got %s, %v", name, a, err)
		}
	}
	for _, name := range []string{"builtin", "org/model", "./folder", "/folder", ""} {
		if Is(name) {
			t.Errorf("%q is taken for a URL", name)
		}
	}
}

func TestBadNamesAreRefusedWithoutShowingThem(t *testing.T) {
	for name, want := range map[string]string{
		"http://h/v1?model=a":                              "tei+http://HOST:PORT",
		"grpc+http://h":                                    "not known",
		"openai+ftp://h?model=a":                           "not known",
		"openai+http://?model=a":                           "no host",
		"openai+http://:80?model=a":                        "no host",
		"openai+https://h/v1":                              "?model=NAME",
		"openai+https://h/v1?model=":                       "?model=NAME",
		"openai+https://h/v1?model=a&model=b":              "?model=NAME",
		"openai+https://user:" + testKey + "@h/v1?model=a": KeyVariable,
		"openai+https://" + testKey + "@h/v1?model=a":      KeyVariable,
		"openai+https://h/v1?model=a&api_key=" + testKey:   KeyVariable,
		"tei+https://h?Token=" + testKey:                   KeyVariable,
		"tei+https://h?model=a":                            `unknown parameter "model"`,
		"openai+https://h/v1?model=a#" + testKey:           KeyVariable,
		"openai+https://h/v1?model=a&x=" + testKey:         `unknown parameter "x"`,
		"openai+https://h/v1?model=a;key=" + testKey:       "cannot be read",
		"openai+https://h:" + testKey + "/v1?model=a":      "not a URL",
		"openai+https://h/%zz" + testKey:                   "not a URL",
	} {
		_, err := Open(t.Context(), name, Options{})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), testKey) {
			t.Errorf("%s: got %v, want %q in it", name, err, want)
		}
	}
}

func TestAServerThatEmbedsNothingIsRefused(t *testing.T) {
	for info, want := range map[string]string{
		strings.Replace(teiAnswer, `{"embedding":{"pooling":"cls"}}`, `{"reranker":{"id2label":{},"label2id":{}}}`, 1): "it is a reranker",
		"{}":     "openai+http://HOST:PORT",
		"<html>": "openai+http://HOST:PORT",
	} {
		s := start(t)
		s.info = info
		if _, err := Open(t.Context(), s.tei(), Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
	s := start(t)
	s.give(func(string) string { return "[]" })
	s.info = strings.Replace(teiAnswer, `"max_client_batch_size":8`, `"max_client_batch_size":-8`, 1)
	if _, err := Open(t.Context(), s.tei(), Options{}); err == nil {
		t.Error("an empty vector was taken")
	}
}

func TestASlowServerIsTriedAgainAndLeft(t *testing.T) {
	s := start(t)
	model, requests := failing(t, s, 100, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	_, err := Open(t.Context(), model, quick(Options{Timeout: 20 * time.Millisecond}))
	if err == nil || !strings.Contains(err.Error(), "no answer within 20ms") || requests.Load() != 3 {
		t.Errorf("%d requests, %v", requests.Load(), err)
	}
	_, err = Open(t.Context(), model, quick(Options{Deadline: 20 * time.Millisecond}))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestEmbedEndsWithTheContext(t *testing.T) {
	s := start(t)
	m := open(t, s.openai(), Options{MaxTexts: 1})
	ctx, cancel := context.WithCancel(t.Context())
	s.delay = 10 * time.Millisecond
	time.AfterFunc(30*time.Millisecond, cancel)
	_, err := m.Embed(ctx, manyTexts(1000))
	var bad *embed.TextError
	if !errors.Is(err, context.Canceled) || errors.As(err, &bad) {
		t.Errorf("got %v", err)
	}
}

func TestOptionsBelowZeroAreRefused(t *testing.T) {
	if _, err := Open(t.Context(), "tei+http://h", Options{MaxTexts: -1}); err == nil || !strings.Contains(err.Error(), "below 0") {
		t.Errorf("got %v", err)
	}
}

func TestUnitVectorsHaveLengthOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := values(rapid.SliceOfN(rapid.Float32(), 1, 20).Draw(t, "v"))
		row, err := v.unit()
		if err != nil {
			return
		}
		sum := 0.0
		for _, x := range row {
			sum += float64(x) * float64(x)
		}
		if math.Abs(sum-1) > 1e-5 {
			t.Fatalf("the squared length is %v", sum)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"data":[{"index":0,"embedding":[1,2,3]}],"model":"small"}`, `[[1,2],[3,null]]`, `{"data":null}`, `[[]]`, `[null]`, `[["a"]]`, `[[[1]]]`, `[{}]`, `[[1e99]]`,
	} {
		f.Add([]byte(seed), 1)
	}
	f.Fuzz(func(t *testing.T, answer []byte, n int) {
		for _, p := range []protocol{openAI{}, textEmbeddings{}} {
			r, err := p.parse(answer, n)
			if err != nil {
				continue
			}
			if len(r.vectors) != n {
				t.Errorf("%d vectors for %d texts", len(r.vectors), n)
			}
			for _, v := range r.vectors {
				if v == nil {
					t.Error("a text has no vector")
				}
			}
		}
	})
}
