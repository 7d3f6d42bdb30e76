package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"go.uber.org/goleak"

	"starling/broker"
	"starling/cluster"
	"starling/dataset"
	"starling/embed"
	"starling/embed/models"
	"starling/pipeline"
	"starling/server"
	"starling/store"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// Of the queues in memory, whose subscriptions live as long as the process.
		goleak.IgnoreTopFunction("gocloud.dev/pubsub.(*Subscription).Receive.func2"),
		goleak.IgnoreTopFunction("time.Sleep"), // between two looks at such a queue
		goleak.IgnoreTopFunction("go.opencensus.io/stats/view.(*worker).start"),
	)
}

var awaitPromise chromedp.EvaluateOption = func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }

// A stream is a run that a server shows.
type stream struct {
	web      *server.Server
	pipeline *pipeline.Pipeline
	topic    *broker.Topic
	n        int64
}

// startStream runs a pipeline over a broker in memory until the test ends.
func startStream(t testing.TB) *stream {
	t.Helper()
	s := &stream{web: server.New(server.Settings{Log: slog.New(slog.DiscardHandler)})}
	dir := filepath.Join(t.TempDir(), "state")
	st, _ := createState(t, dir)
	check(t, st.Close())
	s.open(t, dir, fmt.Sprintf("mem://%s", strings.ToLower(strings.ReplaceAll(t.Name(), "/", "-"))))
	return s
}

// createState creates a state of the built-in model.
func createState(t testing.TB, dir string) (*store.Store, embed.Embedder) {
	t.Helper()
	model, err := models.Open(t.Context(), "builtin", models.Options{})
	check(t, err)
	config, err := json.Marshal(cluster.Config{Dim: model.Dim(), Branching: 50, MaxMicros: 2000, Unrelated: calibration(t, model.Dim())})
	check(t, err)
	info := model.Info()
	st, err := store.Create(t.Context(), dir, store.Identity{Model: info.Name, Fingerprint: info.Fingerprint, Dim: info.Dim, Settings: string(config)})
	check(t, err)
	return st, model
}

// open has the server show a run over a state until the test ends. Its messages come
// from a queue in memory, or, without the URL of one, none do.
func (s *stream) open(t testing.TB, dir, url string) {
	t.Helper()
	ctx := context.Background()
	log := slog.New(slog.DiscardHandler)
	model, err := models.Open(ctx, "builtin", models.Options{})
	check(t, err)
	st, err := store.Open(ctx, dir)
	check(t, err)
	state, err := pipeline.Recover(ctx, st)
	check(t, err)
	if url == "" {
		url = "mem://nothing"
	}
	s.topic, err = broker.OpenTopic(ctx, url)
	check(t, err)
	source, err := broker.OpenSource(ctx, url, broker.SourceOptions{})
	check(t, err)
	s.pipeline = pipeline.New(pipeline.Settings{
		Source: source, Model: model, Store: st, State: state, OnRecords: s.web.Records, OnNotice: s.web.Notice, Log: log,
	})
	check(t, s.web.Attach(ctx, server.Run{Pipeline: s.pipeline, Store: st, Model: model, Source: "a test"}))
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		_, err := s.pipeline.Run(ctx)
		ended <- err
	}()
	t.Cleanup(func() {
		stop()
		check(t, <-ended)
		s.web.Close()
		check(t, source.Close(context.Background()))
		check(t, s.topic.Close(context.Background()))
		check(t, st.Close())
	})
}

func calibration(t testing.TB, _ int) cluster.Calibration {
	t.Helper()
	texts, err := dataset.SampleTexts(t.Context(), 256)
	check(t, err)
	model, err := models.Open(t.Context(), "builtin", models.Options{})
	check(t, err)
	vectors, err := model.Embed(t.Context(), texts)
	check(t, err)
	c, err := cluster.Calibrate(vectors)
	check(t, err)
	return c
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// sampleTexts returns n texts of the sample, 0 for all.
func sampleTexts(t testing.TB, n int) []string {
	t.Helper()
	if n == 0 {
		n = 1400
	}
	texts, err := dataset.SampleTexts(t.Context(), n)
	check(t, err)
	return texts
}

// publish publishes texts and waits until they are durable.
func (s *stream) publish(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		s.n++
		check(t, s.topic.Publish(t.Context(), []broker.OutMessage{{Body: []byte(text), Attributes: map[string]string{"id": fmt.Sprint(s.n)}}}))
	}
	await(t, func() bool { return s.pipeline.Stats().Documents >= s.n })
}

func await(t testing.TB, done func() bool) {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waited in vain")
		}
	}
}

// ask asks a handler as a client on this machine does.
func ask(t *testing.T, h http.Handler, method, path, body string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, "http://127.0.0.1:8787"+path, strings.NewReader(body))
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func decode[T any](t *testing.T, w *httptest.ResponseRecorder) (v T) {
	t.Helper()
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	check(t, json.NewDecoder(w.Body).Decode(&v))
	return v
}
