package pipeline_test

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"starling"
	"starling/broker"
	"starling/pipeline"
)

const (
	// latencyRate is how many messages a second are published, and latencyTime for
	// how long.
	latencyRate = 1000
	latencyTime = 10 * time.Second
	// latencyBefore is how many documents the state holds before.
	latencyBefore = 10_000
)

// BenchmarkLatency publishes 1,000 messages a second to the embedded broker and
// measures how long it takes from the moment each was to be published until its
// update is durable, and until it has come back from a topic.
func BenchmarkLatency(b *testing.B) {
	messages := emotionMessages(b)
	for b.Loop() {
		measureLatency(b, messages[:latencyBefore], messages[latencyBefore:])
	}
}

func measureLatency(b *testing.B, before, messages []broker.OutMessage) {
	b.Helper()
	messages = messages[:min(len(messages), int(latencyRate*latencyTime.Seconds()))]
	server := startBroker(b)
	texts, updates := server.URL("texts"), server.URL("updates")
	publish(b, texts, before...)
	st, err := createState(b.Context(), stateDir(b), benchConfig)
	if err != nil {
		b.Fatal(err)
	}
	state, err := pipeline.Recover(b.Context(), st)
	if err != nil {
		b.Fatal(err)
	}
	source := openSource(b, texts)
	topic, err := broker.OpenTopic(b.Context(), updates)
	if err != nil {
		b.Fatal(err)
	}
	var durable, published stopwatch
	running, stop := context.WithCancel(b.Context())
	caughtUp := make(chan struct{})
	var run sync.WaitGroup
	run.Go(func() {
		_, err := pipeline.New(pipeline.Settings{
			Source: source, Model: builtin(b), Store: st, State: state, Topic: topic, Log: slog.New(slog.DiscardHandler),
			OnUpdates: func(updates []starling.Update) error {
				for _, u := range updates {
					durable.stop(u.ID)
				}
				if last := updates[len(updates)-1].Seq; last == int64(len(before)) {
					close(caughtUp)
				}
				return nil
			},
		}).Run(running)
		if err != nil {
			b.Error(err)
		}
	})
	out := openSource(b, updates)
	run.Go(func() {
		for range len(before) + len(messages) {
			m, err := out.Receive(running)
			if err != nil {
				return
			}
			published.stop(m.Attributes["id"])
			m.Ack()
		}
	})
	<-caughtUp
	publishAtRate(b, texts, messages, func(id string, now time.Time) { durable.start(id, now); published.start(id, now) })
	published.wait()
	stop()
	run.Wait()
	for _, end := range []func(context.Context) error{out.Close, source.Close, topic.Close} {
		if err := end(context.Background()); err != nil {
			b.Error(err)
		}
	}
	if err := st.Close(); err != nil {
		b.Error(err)
	}
	durable.report(b, "durable")
	published.report(b, "published")
}

// publishAtRate publishes messages at latencyRate, each at its moment or, where
// the broker takes longer, as soon as it has taken those before.
func publishAtRate(b *testing.B, url string, messages []broker.OutMessage, begin func(id string, now time.Time)) {
	b.Helper()
	topic, err := broker.OpenTopic(b.Context(), url)
	if err != nil {
		b.Fatal(err)
	}
	defer topic.Close(context.Background()) //nolint:errcheck // everything was confirmed
	const gap = time.Second / latencyRate
	for due := time.Now(); len(messages) > 0; {
		time.Sleep(time.Until(due))
		n := min(len(messages), 1+int(time.Since(due)/gap))
		for i := range n {
			begin(messages[i].Attributes["id"], due.Add(time.Duration(i)*gap))
		}
		if err := topic.Publish(b.Context(), messages[:n]); err != nil {
			b.Fatal(err)
		}
		due, messages = due.Add(time.Duration(n)*gap), messages[n:]
	}
}

// A stopwatch measures how long each of many things takes.
type stopwatch struct {
	mu      sync.Mutex
	started map[string]time.Time
	took    []time.Duration
}

func (w *stopwatch) start(id string, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.started == nil {
		w.started = make(map[string]time.Time)
	}
	w.started[id] = now
}

func (w *stopwatch) stop(id string) {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	if started, ok := w.started[id]; ok {
		w.took = append(w.took, now.Sub(started))
		delete(w.started, id)
	}
}

// wait waits until all that was started has stopped.
func (w *stopwatch) wait() {
	for {
		w.mu.Lock()
		left := len(w.started)
		w.mu.Unlock()
		if left == 0 {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// report reports the median and two further percentiles in milliseconds.
func (w *stopwatch) report(b *testing.B, what string) {
	b.Helper()
	slices.SortFunc(w.took, cmp.Compare[time.Duration])
	for _, p := range []struct {
		name  string
		share float64
	}{{"p50", .50}, {"p95", .95}, {"p99", .99}} {
		took := w.took[int(p.share*float64(len(w.took)-1))]
		b.ReportMetric(float64(took.Microseconds())/1000, "ms-"+p.name+"-"+what)
	}
}
