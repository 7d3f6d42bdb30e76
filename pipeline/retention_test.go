package pipeline_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"starling"
	"starling/broker"
	"starling/pipeline"
	"starling/store"
)

// members returns the documents of a state where they are now.
func members(t testing.TB, dir string) (all []starling.Update) {
	t.Helper()
	st := openState(t, dir)
	for update, err := range st.Members(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, update)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	return all
}

// Documents that leave change no cluster, and nothing of those that stay; and
// their messages do not bring them back.
func TestRetentionChangesNothingElse(t *testing.T) {
	server := startBroker(t)
	messages := sampleMessages(t, 9_000) // more than are entered into the tables together
	whole, trimmed := stateDir(t), stateDir(t)
	keep := func(s *pipeline.Settings) { s.Keep.Documents, s.SnapshotEvery = 500, 300 }
	for _, part := range [][2]int{{0, 8_600}, {8_600, 9_000}} {
		publish(t, server.URL("texts"), messages[part[0]:part[1]]...)
		drain(t, server.URL("texts")+"?consumer=whole", whole, nil)
		drain(t, server.URL("texts")+"?consumer=trimmed", trimmed, keep)
	}
	all, kept := members(t, whole), members(t, trimmed)
	if len(kept) < 500 || len(kept) > 500+2*300+1024 {
		t.Errorf("%d documents are kept, want some 500", len(kept))
	}
	if want := all[len(all)-len(kept):]; !slices.EqualFunc(kept, want, sameUpdate) {
		t.Error("what is kept is not where it is without a retention")
	}
	if got, want := clusteringOf(t, trimmed), clusteringOf(t, whole); got != want {
		t.Error("the clusters are others")
	}
	publish(t, server.URL("texts"), messages[:50]...)
	if summary := drain(t, server.URL("texts")+"?consumer=trimmed", trimmed, keep); summary.Duplicates != 50 || summary.Documents != 0 {
		t.Errorf("messages of documents that left came again: %+v", summary)
	}
}

// clusteringOf returns the digest of what a restart makes of a state.
func clusteringOf(t testing.TB, dir string) string {
	t.Helper()
	st := openState(t, dir)
	state, err := pipeline.Recover(t.Context(), st)
	if err != nil {
		t.Fatal(err)
	}
	data, err := state.AppendBinary(nil)
	if err := errors.Join(err, st.Close()); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(data))
}

func sameUpdate(a, b starling.Update) bool {
	return a.Seq == b.Seq && a.ID == b.ID && a.Text == b.Text && a.Assignment == b.Assignment && a.Time.Equal(b.Time)
}

// With a topic, no document leaves before its update is published; by age, those
// leave that are old enough.
func TestRetentionWaitsForPublishing(t *testing.T) {
	server := startBroker(t)
	publish(t, server.URL("texts"), sampleMessages(t, 9_000)...)
	dir := stateDir(t)
	old := func(s *pipeline.Settings) { s.Keep.For, s.SnapshotEvery = time.Nanosecond, 300 }
	drain(t, server.URL("texts"), dir, func(s *pipeline.Settings) {
		old(s)
		s.Topic = closedTopic(t, server.URL("updates"))
	})
	if n := len(members(t, dir)); n != 9_000 {
		t.Errorf("%d of 9,000 documents are left, and no update was published", n)
	}
	drain(t, server.URL("texts"), dir, old)
	if n := len(members(t, dir)); n > 9_000-8_192+300 {
		t.Errorf("%d documents are left", n)
	}
}

// closedTopic returns a topic that takes nothing.
func closedTopic(t testing.TB, url string) *broker.Topic {
	t.Helper()
	topic, err := broker.OpenTopic(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if err := topic.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	return topic
}

// A state whose snapshots are damaged and whose first documents have left cannot
// be brought back, and the error says so.
func TestRecoverNeedsASnapshotOfWhatLeft(t *testing.T) {
	server := startBroker(t)
	publish(t, server.URL("texts"), sampleMessages(t, 8_800)...)
	dir := stateDir(t)
	drain(t, server.URL("texts"), dir, func(s *pipeline.Settings) { s.Keep.Documents, s.SnapshotEvery = 100, 300 })
	db, err := sql.Open("sqlite", filepath.Join(dir, "starling.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("UPDATE snapshots SET data = x'00'"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	st := openState(t, dir)
	if _, err := pipeline.Recover(t.Context(), st); !errors.Is(err, store.ErrLeft) || !strings.Contains(err.Error(), "restore the state folder from a backup") {
		t.Errorf("got the error %v", err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
}
