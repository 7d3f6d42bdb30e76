package beam

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"testing"
	"time"

	"starling"
	"starling/broker"
	"starling/broker/embedded"
	"starling/cluster"
	"starling/pipeline"
	"starling/store"
)

// The runtime of one machine, given the same documents in the order in which the
// pipeline on prism took them, makes the same updates.
func TestOneShardDoesWhatTheLocalRuntimeDoes(t *testing.T) {
	server := startPubSub(t)
	n := messagesOnPrism(t)
	publish(t, server, 0, n)
	settings := testSettings(t)
	updates := updatesOnPrism(t, settings)
	checkUpdates(t, updates, n)
	checkLocally(t, settings, updates)
}

// checkLocally checks that updates are those of the runtime of one machine.
func checkLocally(t *testing.T, settings ClusterSettings, updates []starling.Update) {
	t.Helper()
	want := locally(t, settings, updates)
	for i, u := range updates {
		u.Time, want[i].Time = time.Time{}, time.Time{} // when it was published, which differs
		a, b := inJSON(t, u), inJSON(t, want[i])
		if a != b {
			t.Fatalf("update %d:\n%s, the local runtime says\n%s", i+1, a, b)
		}
	}
}

// inJSON returns an update as it is published.
func inJSON(t *testing.T, u starling.Update) string {
	t.Helper()
	body, err := json.Marshal(u)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// locally runs the documents of updates through the local runtime.
func locally(t *testing.T, settings ClusterSettings, updates []starling.Update) []starling.Update {
	t.Helper()
	ctx := t.Context()
	nats, err := embedded.Start(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nats.Shutdown)
	publishTo(t, nats.URL("texts"), updates)
	source, err := broker.OpenSource(ctx, nats.URL("texts"), broker.SourceOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close(context.WithoutCancel(ctx)) //nolint:errcheck // the test is over
	model, err := settings.Model.open(ctx)
	if err != nil {
		t.Fatal(err)
	}
	config, err := json.Marshal(settings.Clustering)
	if err != nil {
		t.Fatal(err)
	}
	info := model.Info()
	st, err := store.Create(ctx, t.TempDir()+"/state", store.Identity{
		Model: info.Name, Fingerprint: info.Fingerprint, Dim: info.Dim, Settings: string(config),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close() //nolint:errcheck // the test is over
	state, err := cluster.New(settings.Clustering)
	if err != nil {
		t.Fatal(err)
	}
	var local recorder
	run := pipeline.New(pipeline.Settings{
		Model: model, Store: st, State: state, Source: source, UntilIdle: time.Second,
		OnUpdates: local.take, Log: slog.New(slog.DiscardHandler),
	})
	if _, err := run.Run(ctx); err != nil {
		t.Fatal(err)
	}
	all := local.all()
	slices.SortFunc(all, func(a, b starling.Update) int { return cmp.Compare(a.Seq, b.Seq) })
	if len(all) != len(updates) {
		t.Fatalf("%d updates of the local runtime, want %d", len(all), len(updates))
	}
	return all
}

// publishTo publishes the documents of updates, in their order.
func publishTo(t *testing.T, url string, updates []starling.Update) {
	t.Helper()
	topic, err := broker.OpenTopic(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	messages := make([]broker.OutMessage, len(updates))
	for i, u := range updates {
		messages[i] = broker.OutMessage{Body: []byte(u.Text), Attributes: map[string]string{"id": u.ID}}
	}
	if err := topic.Publish(t.Context(), messages); err != nil {
		t.Fatal(err)
	}
	if err := topic.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}
