package pipeline_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"starling"
	"starling/broker"
	"starling/broker/embedded"
	"starling/cluster"
	"starling/dataset"
	"starling/embed"
	"starling/embed/static"
	"starling/pipeline"
	"starling/store"
)

// idle is how long a drained source is waited for.
const idle = 50 * time.Millisecond

func startBroker(t testing.TB) *embedded.Server {
	t.Helper()
	server, err := embedded.Start(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Shutdown)
	return server
}

func publish(t testing.TB, url string, messages ...broker.OutMessage) {
	t.Helper()
	topic, err := broker.OpenTopic(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	for len(messages) > 0 {
		n := min(256, len(messages))
		if err := topic.Publish(t.Context(), messages[:n]); err != nil {
			t.Fatal(err)
		}
		messages = messages[n:]
	}
	if err := topic.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func message(id, text string) broker.OutMessage {
	return broker.OutMessage{Body: []byte(text), Attributes: map[string]string{"id": id}}
}

// sampleMessages returns n different messages made of the shipped sample.
func sampleMessages(t testing.TB, n int) []broker.OutMessage {
	t.Helper()
	sample, err := dataset.Open(t.Context(), dataset.Options{Name: dataset.Sample})
	if err != nil {
		t.Fatal(err)
	}
	var messages []broker.OutMessage
	for len(messages) < n {
		round := len(messages)
		for item, err := range sample.Items() {
			if err != nil {
				t.Fatal(err)
			}
			if len(messages) == n {
				break
			}
			text := item.Text
			if round > 0 {
				text = fmt.Sprintf("%s %d", text, round)
			}
			messages = append(messages, message(fmt.Sprintf("m%d", len(messages)), text))
		}
	}
	return messages
}

func builtin(t testing.TB) embed.Embedder {
	t.Helper()
	model, err := static.New()
	if err != nil {
		t.Fatal(err)
	}
	return model
}

var testConfig = cluster.Config{Dim: static.Dim, Threshold: 0.85, MaxMicros: 300}

func createState(ctx context.Context, dir string, config cluster.Config) (*store.Store, error) {
	settings, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	info := static.Describe()
	return store.Create(ctx, dir, store.Identity{
		Model: info.Name, Fingerprint: info.Fingerprint, Dim: info.Dim, Settings: string(settings),
	})
}

// openState opens the state in dir, made by testConfig where there is none.
func openState(t testing.TB, dir string) *store.Store {
	t.Helper()
	st, err := store.Open(t.Context(), dir)
	if !store.Exists(dir) {
		st, err = createState(t.Context(), dir, testConfig)
	}
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func openSource(t testing.TB, url string) *broker.Source {
	t.Helper()
	source, err := broker.OpenSource(t.Context(), url, broker.SourceOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// run runs a pipeline from url into the state in dir until the source is
// drained, or until it ends otherwise.
func run(t testing.TB, ctx context.Context, url, dir string, change func(*pipeline.Settings)) (pipeline.Summary, error) {
	t.Helper()
	p, done := open(t, url, dir, change)
	defer done()
	return p.Run(ctx)
}

// open returns a pipeline from url into the state in dir, and what closes both.
func open(t testing.TB, url, dir string, change func(*pipeline.Settings)) (*pipeline.Pipeline, func()) {
	t.Helper()
	st := openState(t, dir)
	state, err := pipeline.Recover(t.Context(), st)
	if err != nil {
		t.Fatal(err)
	}
	source := openSource(t, url)
	settings := pipeline.Settings{
		Source: source, Model: builtin(t), Store: st, State: state, UntilIdle: idle,
		Log: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&settings)
	}
	return pipeline.New(settings), func() {
		if err := source.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}
}

func drain(t testing.TB, url, dir string, change func(*pipeline.Settings)) pipeline.Summary {
	t.Helper()
	summary, err := run(t, t.Context(), url, dir, change)
	if err != nil {
		t.Fatal(err)
	}
	return summary
}

// A dump is all that a state says, as text: the clustering after recovery, and
// every document with what became of it.
type dump struct {
	clustering string
	documents  []starling.Update
	letters    []store.DeadLetter
}

func dumpState(t testing.TB, dir string) dump {
	t.Helper()
	st, err := store.OpenReader(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}()
	state, err := pipeline.Recover(t.Context(), st)
	if err != nil {
		t.Fatal(err)
	}
	data, err := state.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	d := dump{clustering: fmt.Sprintf("%x", sha256.Sum256(data))}
	for record, err := range st.Journal(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		d.documents = append(d.documents, record.Update)
	}
	for letter, err := range st.DeadLetters(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		d.letters = append(d.letters, letter)
	}
	return d
}

// text is the dump in canonical form.
func (d dump) text(t testing.TB) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintln(&b, d.clustering)
	for _, values := range []any{d.documents, d.letters} {
		data, err := json.Marshal(values)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(data)
		b.WriteByte('\n')
	}
	return b.String()
}

func stateDir(t testing.TB) string { t.Helper(); return filepath.Join(t.TempDir(), "state") }
