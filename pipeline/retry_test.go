package pipeline_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"starling/broker"
	"starling/embed"
	"starling/pipeline"
	"starling/store"
)

// picky refuses texts with a word, as a model that was misconfigured would.
type picky struct {
	embed.Embedder
	word string
}

func (p picky) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	for i, text := range texts {
		if strings.Contains(text, p.word) {
			return nil, &embed.TextError{Index: i, Err: errors.New("a word that is refused")}
		}
	}
	return p.Embedder.Embed(ctx, texts)
}

// retry retries all dead letters of a state, and returns what was refused again.
func retry(t testing.TB, dir string, model embed.Embedder) (pipeline.Summary, []store.DeadLetter) {
	t.Helper()
	st := openState(t, dir)
	state, err := pipeline.Recover(t.Context(), st)
	if err != nil {
		t.Fatal(err)
	}
	var refused []store.DeadLetter
	summary, err := pipeline.Retry(t.Context(), pipeline.Settings{
		Model: model, Store: st, State: state, BatchSize: 7, Log: slog.New(slog.DiscardHandler),
		OnDeadLetters: func(letters []store.DeadLetter) { refused = append(refused, letters...) },
	}, st.DeadLetters(t.Context()))
	if err := errors.Join(err, st.Close()); err != nil {
		t.Fatal(err)
	}
	return summary, refused
}

// Once the cause is mended, retrying makes documents of the dead letters, with
// their ids, attributes and times, each once; what cannot be processed again
// stays, and says why now.
func TestRetry(t *testing.T) {
	server := startBroker(t)
	messages := sampleMessages(t, 120)
	for i := range messages {
		if i%4 == 0 {
			messages[i].Body = append(messages[i].Body, " zebra"...)
			messages[i].Attributes["lang"] = "en"
		}
	}
	messages = append(messages, message("blank", " "), broker.OutMessage{Body: []byte("zebra without an id")})
	publish(t, server.URL("texts"), messages...)
	dir := stateDir(t)
	got := drain(t, server.URL("texts"), dir, func(s *pipeline.Settings) { s.Model = picky{s.Model, "zebra"} })
	if got.Documents != 90 || got.DeadLetters != 32 {
		t.Fatalf("the run counted %+v", got)
	}
	publish(t, server.URL("texts"), message("m8", "the same id in another message"))
	drain(t, server.URL("texts"), dir, nil)

	if got, refused := retry(t, dir, picky{builtin(t), "zebra"}); got.Documents != 0 || len(refused) != 32 {
		t.Errorf("with the cause still there: %+v, %d refused", got, len(refused))
	}
	got, refused := retry(t, dir, builtin(t))
	if got != (pipeline.Summary{Documents: 30, Duplicates: 1, DeadLetters: 1}) || len(refused) != 1 {
		t.Errorf("with the cause mended: %+v, %d refused", got, len(refused))
	}
	state := dumpState(t, dir)
	if len(state.letters) != 1 || state.letters[0].DocumentID != "blank" || state.letters[0].Reason != "the text is empty" {
		t.Errorf("the dead letters are %+v", state.letters)
	}
	times := make(map[string]int)
	for _, u := range state.documents {
		times[u.ID]++
		if strings.Contains(u.Text, "zebra") && (u.Time.IsZero() || u.ID != "texts:122" && u.Attributes["lang"] != "en") {
			t.Errorf("a document that was retried is %+v", u.Document)
		}
	}
	if len(times) != 121 || len(state.documents) != 121 {
		t.Errorf("%d documents with %d ids, want 121", len(state.documents), len(times))
	}
	if got, _ := retry(t, dir, builtin(t)); got != (pipeline.Summary{DeadLetters: 1}) {
		t.Errorf("once more: %+v", got)
	}
	publish(t, server.URL("texts"), messages...)
	if got := drain(t, server.URL("texts"), dir, nil); got.Documents != 1 { // without an id, it is another one
		t.Errorf("after their messages came again: %+v", got)
	}
}

// The body of a message that was too long to be kept whole is not taken for it.
func TestRetryOfABodyThatWasCut(t *testing.T) {
	dir := stateDir(t)
	st := openState(t, dir)
	long := store.DeadLetter{MessageID: "a", DocumentID: "long", Reason: "too long", Body: make([]byte, store.MaxBodyBytes+7)}
	if err := errors.Join(st.Commit(t.Context(), store.Batch{DeadLetters: []store.DeadLetter{long}}), st.Close()); err != nil {
		t.Fatal(err)
	}
	if _, refused := retry(t, dir, builtin(t)); len(refused) != 1 || !strings.Contains(refused[0].Reason, "send the message again") {
		t.Errorf("refused is %+v", refused)
	}
	if letters := dumpState(t, dir).letters; len(letters) != 1 || len(letters[0].Body) != store.MaxBodyBytes {
		t.Errorf("the letters are %d", len(letters))
	}
}
