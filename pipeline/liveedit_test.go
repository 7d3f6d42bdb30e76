package pipeline_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"starling"
	"starling/cluster"
	"starling/pipeline"
	"starling/store"
)

// What is edited while the stream flows is in the state that comes back, wherever
// between the documents it was.
func TestEditsOfARunningPipelineArePartOfTheJournal(t *testing.T) {
	url, dir := startBroker(t).URL("texts"), stateDir(t)
	st := openState(t, dir)
	state, err := pipeline.Recover(t.Context(), st)
	if err != nil {
		t.Fatal(err)
	}
	source := openSource(t, url)
	records := make(chan int, 1000)
	p := pipeline.New(pipeline.Settings{
		Source: source, Model: builtin(t), Store: st, State: state,
		OnRecords: func(r []store.Record) {
			if len(r[0].Embedding) == 0 {
				t.Error("a record without an embedding")
			}
			records <- len(r)
		},
	})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := p.Run(ctx)
		ended <- err
	}()
	messages := sampleMessages(t, 600)
	publish(t, url, messages[:300]...)
	await(t, records, 300)
	names := []string{"one", "two", "three"}
	publish(t, url, messages[300:]...)
	for _, name := range names {
		events, err := renameLargest(t, p, name)
		if err != nil || len(events) != 1 || events[0].Name != name {
			t.Errorf("renamed: %+v, %v", events, err)
		}
	}
	if _, err := p.Edit(t.Context(), starling.Edit{Kind: starling.EditPin, Cluster: 1 << 40}); err == nil {
		t.Error("pinned a cluster that there is not")
	}
	_, err = p.Edit(t.Context(), starling.Edit{Kind: starling.EditDelete, Cluster: 1, Document: 1})
	if err == nil || !strings.Contains(err.Error(), "starling edit delete") {
		t.Errorf("deleted a document of a running pipeline: %v", err)
	}
	await(t, records, 300)
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	pinned := p.Clusters(1)[0].ID
	if events, err := p.Edit(t.Context(), starling.Edit{Kind: starling.EditPin, Cluster: pinned}); err != nil || len(events) != 1 {
		t.Errorf("pinned after the run: %+v, %v", events, err)
	}
	again, err := pipeline.Recover(t.Context(), st)
	if err != nil {
		t.Fatal(err)
	}
	p.View(func(s *cluster.State) {
		wantSameState(t, again, s)
		if got := s.Edits(); got != int64(len(names))+1 {
			t.Errorf("%d edits", got)
		}
	})
	if err := source.Close(context.Background()); err != nil {
		t.Error(err)
	}
	if err := st.Close(); err != nil {
		t.Error(err)
	}
}

// renameLargest names the largest cluster. One that went into another between the look
// and the edit gives way to that.
func renameLargest(t *testing.T, p *pipeline.Pipeline, name string) (events []starling.Event, err error) {
	t.Helper()
	for range 10 {
		largest := p.Clusters(1)[0].ID
		events, err = p.Edit(t.Context(), starling.Edit{Kind: starling.EditRename, Cluster: largest, Name: name})
		if err == nil || p.Clusters(1)[0].ID == largest {
			break
		}
	}
	return events, err
}

// await waits until as many documents are committed.
func await(t *testing.T, records <-chan int, n int) {
	t.Helper()
	patience := time.After(30 * time.Second)
	for n > 0 {
		select {
		case got := <-records:
			n -= got
		case <-patience:
			t.Fatalf("%d documents did not come", n)
		}
	}
}

// Whoever waits for an edit hears of the end of a run that failed.
func TestEditingAFailedRunIsAnError(t *testing.T) {
	url, dir := startBroker(t).URL("texts"), stateDir(t)
	publish(t, url, sampleMessages(t, 10)...)
	failed, done := open(t, url, dir, func(s *pipeline.Settings) {
		s.OnUpdates = func([]starling.Update) error { return context.DeadlineExceeded }
	})
	defer done()
	if _, err := failed.Run(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("the run ended with %v", err)
	}
	if _, err := failed.Edit(t.Context(), starling.Edit{Kind: starling.EditPin, Cluster: 1}); err == nil || !strings.Contains(err.Error(), "run failed") {
		t.Errorf("edited: %v", err)
	}
}
