package pipeline_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"starling/broker"
	"starling/pipeline"
	"starling/store"
)

// TestDeadLettersArePublishedInOrder has what cannot be processed go to a topic that
// fails at first: each comes there, in order, and clustering does not wait.
func TestDeadLettersArePublishedInOrder(t *testing.T) {
	server := startBroker(t)
	var messages []broker.OutMessage
	for i := range 600 {
		body := "a text"
		if i%2 == 0 {
			body = " "
		}
		messages = append(messages, message(fmt.Sprint("m", i), body))
	}
	publish(t, server.URL("texts"), messages...)
	topic, err := broker.OpenTopic(t.Context(), server.URL("letters"))
	if err != nil {
		t.Fatal(err)
	}
	if err := topic.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	dir := stateDir(t)
	got := drain(t, server.URL("texts"), dir, func(s *pipeline.Settings) { s.DeadLetterTopic = topic })
	if got.Documents != 300 || got.DeadLetters != 300 {
		t.Errorf("with a topic that fails the run counted %+v", got)
	}
	if topic, err = broker.OpenTopic(t.Context(), server.URL("letters")); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second run finds nothing due
		drain(t, server.URL("texts"), dir, func(s *pipeline.Settings) { s.DeadLetterTopic = topic })
	}
	if err := topic.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	source := openSource(t, server.URL("letters"))
	if held, _, err := source.Backlog(t.Context()); err != nil || held != 300 {
		t.Fatalf("%d dead letters were published, want 300 (%v)", held, err)
	}
	for i := range 300 {
		m, err := source.Receive(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		m.Ack()
		var letter pipeline.DeadLetterView
		if err := json.Unmarshal(m.Body, &letter); err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprint("m", 2*i); letter.DocumentID != want || m.Attributes["id"] != want || letter.Number != int64(i+1) || letter.Body != " " {
			t.Fatalf("dead letter %d is %+v with %q", i+1, letter, m.Attributes)
		}
	}
	if err := source.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestViewOfADeadLetter(t *testing.T) {
	letter := store.DeadLetter{Number: 7, Body: []byte("aé"), Reason: "why", Time: time.Unix(1, 0)}
	if view := pipeline.ViewDeadLetter(letter, 2); view.Body != "a" || view.BodyBytes != 3 || view.BodyBase64 != nil {
		t.Errorf("cut within a character it is %+v", view)
	}
	if view := pipeline.ViewDeadLetter(letter, 3); view.Body != "aé" || view.BodyBytes != 0 {
		t.Errorf("it is %+v", view)
	}
	letter.Body = bytes.Repeat([]byte{0xff}, 10)
	if view := pipeline.ViewDeadLetter(letter, 4); view.Body != "" || view.BodyBytes != 10 || !slices.Equal(view.BodyBase64, letter.Body[:4]) {
		t.Errorf("what is not UTF-8 is %+v", view)
	}
	if text, err := json.Marshal(pipeline.ViewDeadLetter(letter, 0)); err != nil || !strings.Contains(string(text), `"body_base64":"`) {
		t.Errorf("in JSON it is %s, %v", text, err)
	}
}
