package pipeline_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"starling"
	"starling/broker"
	"starling/embed"
	"starling/pipeline"
	"starling/store"
)

func TestEveryDocumentCountsOnce(t *testing.T) {
	url := startBroker(t).URL("texts")
	publish(t, url, message("a", "the train is late"), message("b", "banana bread"), message("a", "the train is late"),
		message("b", "another text with the id of one before"))
	dir := stateDir(t)
	if got := drain(t, url, dir, nil); got.Documents != 2 || got.Duplicates != 2 {
		t.Errorf("the run counted %+v", got)
	}
	publish(t, url, message("b", "banana bread"), message("c", "the train is late again"))
	if got := drain(t, url, dir, nil); got.Documents != 1 || got.Duplicates != 1 {
		t.Errorf("the second run counted %+v", got)
	}
	var ids []string
	for _, document := range dumpState(t, dir).documents {
		ids = append(ids, document.ID)
	}
	if fmt.Sprint(ids) != "[a b c]" {
		t.Errorf("the state holds %v", ids)
	}
	if got := drain(t, url, dir, nil); got != (pipeline.Summary{}) {
		t.Errorf("what was acknowledged came again: %+v", got)
	}
}

func TestBadMessagesBecomeDeadLettersAndTheStreamGoesOn(t *testing.T) {
	url := startBroker(t).URL("texts")
	long := strings.Repeat("x", starling.MaxTextBytes)
	publish(t, url,
		message("latin1", "caf\xe9"),
		message("empty", ""),
		message("blank", " \n\t "),
		message("long", long+"x"),
		broker.OutMessage{Body: []byte("a good text"), Attributes: map[string]string{"id": strings.Repeat("i", 1025)}},
		message("longest", long),
		broker.OutMessage{Body: []byte("no id, and an attribute"), Attributes: map[string]string{"lang": "en"}},
		message("good", "a good text"),
	)
	dir := stateDir(t)
	var told []store.DeadLetter
	got := drain(t, url, dir, func(s *pipeline.Settings) {
		s.OnDeadLetters = func(letters []store.DeadLetter) { told = append(told, letters...) }
	})
	if got.Documents != 3 || got.DeadLetters != 5 || len(told) != 5 {
		t.Errorf("the run counted %+v and told of %d", got, len(told))
	}
	state := dumpState(t, dir)
	for i, want := range []struct{ id, reason string }{
		{"latin1", "not valid UTF-8"}, {"empty", "empty"}, {"blank", "empty"}, {"long", "longer than 65536 bytes"}, {"", "id is longer"},
	} {
		letter := state.letters[i]
		if letter.DocumentID != want.id || !strings.Contains(letter.Reason, want.reason) || letter.MessageID == "" {
			t.Errorf("dead letter %d is %q, %q, of message %q", i, letter.DocumentID, letter.Reason, letter.MessageID)
		}
	}
	if string(state.letters[0].Body) != "caf\xe9" {
		t.Errorf("the body of a dead letter changed: %q", state.letters[0].Body)
	}
	if unnamed := state.documents[1]; unnamed.ID != "texts:7" || unnamed.Attributes["lang"] != "en" {
		t.Errorf("the message without an id became %+v", unnamed.Document)
	}
	if got := drain(t, url, dir, nil); got != (pipeline.Summary{}) {
		t.Errorf("messages came again: %+v", got)
	}
}

// An unsteady model takes a different time for each batch and refuses a text.
type unsteady struct{ embed.Embedder }

func (u unsteady) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	time.Sleep(time.Duration(rand.IntN(3)) * time.Millisecond)
	for i, text := range texts {
		if strings.HasPrefix(text, "refuse") {
			return nil, &embed.TextError{Index: i, Err: errors.New("the model does not like it")}
		}
	}
	return u.Embedder.Embed(ctx, texts)
}

// However the stream is cut into batches, and wherever snapshots are taken, the
// state is the same.
func TestStateDependsOnTheOrderOfMessagesAlone(t *testing.T) {
	url := startBroker(t).URL("texts")
	messages := sampleMessages(t, 2500)
	messages[500].Body = []byte("refuse this")
	publish(t, url, messages...)
	var want string
	for i, change := range []func(*pipeline.Settings){
		func(s *pipeline.Settings) { s.Workers, s.BatchSize = 1, 1 },
		func(s *pipeline.Settings) { s.Workers, s.BatchSize, s.SnapshotEvery = 8, 7, 100 },
		func(s *pipeline.Settings) { s.Workers, s.BatchSize = 3, 256 },
		func(s *pipeline.Settings) { s.SnapshotEvery = 1 << 40 },
	} {
		dir := stateDir(t)
		summary := drain(t, fmt.Sprintf("%s?consumer=run%d", url, i), dir, func(s *pipeline.Settings) {
			s.Model = unsteady{s.Model}
			change(s)
		})
		if summary.Documents != 2499 || summary.DeadLetters != 1 {
			t.Errorf("run %d counted %+v", i, summary)
		}
		got := dumpState(t, dir).text(t)
		if want == "" {
			want = got
		}
		if got != want {
			t.Errorf("run %d gave another state", i)
		}
	}
}

func TestStoppingDrainsAndTheNextRunGoesOn(t *testing.T) {
	url := startBroker(t).URL("texts")
	messages := sampleMessages(t, 3000)
	publish(t, url, messages...)
	dir := stateDir(t)
	seen, stops := int64(0), 0
	for seen < int64(len(messages)) && stops < 100 {
		ctx, stop := context.WithCancel(t.Context())
		var told int64
		summary, err := run(t, ctx, url, dir, func(s *pipeline.Settings) {
			s.BatchSize = 8 // bounds what is under way, and drained, when a run is stopped
			s.OnUpdates = func(updates []starling.Update) error {
				if told += int64(len(updates)); told > 200 {
					stop()
				}
				return nil
			}
		})
		stop()
		if err != nil || summary.Documents != told || summary.Duplicates != 0 {
			t.Fatalf("a run that was stopped counted %+v, told of %d, and ended with %v", summary, told, err)
		}
		seen += told
		stops++
	}
	documents := dumpState(t, dir).documents
	if stops < 3 || len(documents) != len(messages) {
		t.Fatalf("after %d stops the state holds %d documents", stops, len(documents))
	}
	for i, document := range documents {
		if document.ID != messages[i].Attributes["id"] {
			t.Fatalf("document %d is %s", i, document.ID)
		}
	}
}

// broken fails after some texts, as a model does whose server went away.
type broken struct {
	embed.Embedder
	left atomic.Int64
}

var errModel = errors.New("the model's server went away")

func (b *broken) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	if b.left.Add(-int64(len(texts))) < 0 {
		return nil, errModel
	}
	return b.Embedder.Embed(ctx, texts)
}

func TestNothingIsAcknowledgedThatIsNotDurable(t *testing.T) {
	url := startBroker(t).URL("texts")
	messages := sampleMessages(t, 1000)
	publish(t, url, messages...)
	dir := stateDir(t)
	summary, err := run(t, t.Context(), url, dir, func(s *pipeline.Settings) {
		model := &broken{Embedder: s.Model}
		model.left.Store(400)
		s.Model = model
	})
	if !errors.Is(err, errModel) {
		t.Fatalf("the run ended with %v", err)
	}
	durable := int64(len(dumpState(t, dir).documents))
	if durable != summary.Documents || durable > 400 {
		t.Errorf("%d documents are durable, the run counted %+v", durable, summary)
	}
	if got := drain(t, url, dir, nil); got.Documents != 1000-durable || got.Duplicates != 0 {
		t.Errorf("the next run counted %+v after %d", got, durable)
	}
}

func TestARunThatCannotCommitEnds(t *testing.T) {
	url := startBroker(t).URL("texts")
	publish(t, url, sampleMessages(t, 100)...)
	dir := stateDir(t)
	reader := func(s *pipeline.Settings) {
		st, err := store.OpenReader(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = st.Close() })
		s.Store = st
	}
	if _, err := run(t, t.Context(), url, dir, reader); !errors.Is(err, store.ErrReadOnly) {
		t.Fatalf("the run ended with %v", err)
	}
	if got := drain(t, url, dir, nil); got.Documents != 100 {
		t.Errorf("the next run counted %+v", got)
	}
}

func TestUpdatesArePublishedInOrder(t *testing.T) {
	server := startBroker(t)
	messages := sampleMessages(t, 1500)
	publish(t, server.URL("texts"), messages...)
	topic, err := broker.OpenTopic(t.Context(), server.URL("updates"))
	if err != nil {
		t.Fatal(err)
	}
	dir := stateDir(t)
	drain(t, server.URL("texts"), dir, func(s *pipeline.Settings) { s.Topic = topic })
	if err := topic.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	source := openSource(t, server.URL("updates"))
	for i, want := range dumpState(t, dir).documents {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		m, err := source.Receive(ctx)
		cancel()
		if err != nil {
			t.Fatalf("after %d updates: %v", i, err)
		}
		m.Ack()
		var got starling.Update
		if err := json.Unmarshal(m.Body, &got); err != nil {
			t.Fatal(err)
		}
		if got.Seq != want.Seq || got.ID != want.ID || got.Cluster != want.Cluster || m.Attributes["id"] != want.ID {
			t.Fatalf("update %d is %+v, want %+v", i, got, want)
		}
	}
	if err := source.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

// The journal is the outbox: what a topic does not take is sent by a later run.
func TestATopicThatFailsHoldsUpNothing(t *testing.T) {
	server, other := startBroker(t), startBroker(t)
	publish(t, server.URL("texts"), sampleMessages(t, 300)...)
	topic, err := broker.OpenTopic(t.Context(), other.URL("updates"))
	if err != nil {
		t.Fatal(err)
	}
	if err := topic.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	dir := stateDir(t)
	if got := drain(t, server.URL("texts"), dir, func(s *pipeline.Settings) { s.Topic = topic }); got.Documents != 300 {
		t.Errorf("with a topic that fails the run counted %+v", got)
	}
	if topic, err = broker.OpenTopic(t.Context(), other.URL("updates")); err != nil {
		t.Fatal(err)
	}
	drain(t, server.URL("texts"), dir, func(s *pipeline.Settings) { s.Topic = topic })
	if err := topic.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	source := openSource(t, other.URL("updates"))
	held, known, err := source.Backlog(t.Context())
	if err != nil || !known || held != 300 {
		t.Errorf("%d updates were published (%v, %v), want 300", held, known, err)
	}
	if err := source.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestRecoverRefusesAStateThatReplaysDifferently(t *testing.T) {
	dir := stateDir(t)
	st := openState(t, dir)
	vectors, err := builtin(t).Embed(t.Context(), []string{"a text"})
	if err != nil {
		t.Fatal(err)
	}
	wrong := starling.Update{Seq: 1, Document: starling.Document{ID: "a", Text: "a text"}, Assignment: starling.Assignment{Cluster: 7, Micro: 7}}
	if err := st.Commit(t.Context(), store.Batch{Records: []store.Record{{Update: wrong, Embedding: vectors[0]}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := pipeline.Recover(t.Context(), st); err == nil || !strings.Contains(err.Error(), `"a"`) {
		t.Errorf("recovery says %v", err)
	}
	if err := st.Close(); err != nil {
		t.Error(err)
	}
}
