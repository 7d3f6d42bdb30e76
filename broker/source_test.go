package broker

import (
	"context"
	"errors"
	"maps"
	"testing"
	"time"
)

func TestWhatIsPublishedIsReceived(t *testing.T) {
	forEachBroker(t, func(t *testing.T, topicURL, sourceURL string) {
		begin := time.Now()
		want := OutMessage{Body: []byte("ein Täxt\x00\xff"), Attributes: map[string]string{"id": "7f3a", "key": "a b\n"}}
		topic := openTopic(t, topicURL)
		if err := topic.Publish(t.Context(), []OutMessage{want}); err != nil {
			t.Fatal(err)
		}
		source := openSource(t, sourceURL)
		got := receive(t, source)
		if string(got.Body) != string(want.Body) || !maps.Equal(got.Attributes, want.Attributes) {
			t.Errorf("got %q with %q", got.Body, got.Attributes)
		}
		if got.ID == "" {
			t.Error("the message has no id of the broker's")
		}
		if !got.Time.IsZero() && (got.Time.Before(begin.Add(-time.Second)) || got.Time.After(time.Now())) {
			t.Errorf("published at %v, it says %v", begin, got.Time)
		}
		got.Ack()
		got.Ack()  // does nothing
		got.Nack() // does nothing
		checkEmpty(t, source)
		closeSource(t, source)
		checkEmpty(t, openSource(t, sourceURL))
		if err := topic.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestAMessageCanBeEmpty(t *testing.T) {
	forEachBroker(t, func(t *testing.T, topic, source string) {
		// Pub/Sub wants a body or an attribute.
		out := []OutMessage{{Attributes: map[string]string{"id": "1"}}, {Body: []byte("x")}}
		if err := openTopic(t, topic).Publish(t.Context(), out); err != nil {
			t.Fatal(err)
		}
		all := receiveAll(t, openSource(t, source), 2)
		if all[""].Attributes["id"] != "1" || all["x"].Attributes != nil {
			t.Errorf("got the attributes %q and %q", all[""].Attributes, all["x"].Attributes)
		}
	})
}

func TestNackBringsAMessageAgain(t *testing.T) {
	forEachBroker(t, func(t *testing.T, topic, source string) {
		publishNumbers(t, topic, 3)
		s := openSource(t, source)
		first := receive(t, s)
		first.Nack()
		again := receiveAll(t, s, 3)[string(first.Body)]
		if again == nil || again.ID != first.ID {
			t.Errorf("%q, %s, came again as %+v", first.Body, first.ID, again)
		}
	})
}

func TestCloseGivesBackWhatIsNotAcknowledged(t *testing.T) {
	for _, kind := range kinds[:4] { // when Pub/Sub delivers it again is up to Pub/Sub
		t.Run(kind.name, func(t *testing.T) {
			topic, source := kind.make(t)
			const total, acked = 100, 40
			publishNumbers(t, topic, total)
			first := openSource(t, source)
			for range acked {
				receive(t, first).Ack()
			}
			held := receive(t, first)
			closeSource(t, first)

			left := receiveAll(t, openSource(t, source), total-acked)
			if left[string(held.Body)] == nil {
				t.Errorf("%q, which the first reader held, did not come again", held.Body)
			}
		})
	}
}

func TestACancelledReceiveLosesNothing(t *testing.T) {
	forEachBroker(t, func(t *testing.T, topic, source string) {
		const total = 20
		s := openSource(t, source)
		all := map[string]bool{}
		published := make(chan struct{})
		go func() {
			defer close(published)
			publishNumbers(t, topic, total)
		}()
		for wait := time.Duration(0); len(all) < total; wait = (wait + 100*time.Microsecond) % (5 * time.Millisecond) {
			ctx, cancel := context.WithTimeout(t.Context(), wait)
			m, err := s.Receive(ctx)
			cancel()
			if err == nil {
				all[string(m.Body)] = true
				m.Ack()
			} else if !errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(err)
			}
		}
		<-published
		checkEmpty(t, s)
	})
}

func TestAClosedSourceReceivesNothing(t *testing.T) {
	forEachBroker(t, func(t *testing.T, topic, source string) {
		publishNumbers(t, topic, 1)
		s := openSource(t, source)
		closeSource(t, s)
		if _, err := s.Receive(t.Context()); !errors.Is(err, errClosed) {
			t.Errorf("Receive gave the error %v, want %v", err, errClosed)
		}
		if err := s.Close(t.Context()); !errors.Is(err, errClosed) {
			t.Errorf("the second Close gave the error %v, want %v", err, errClosed)
		}
	})
}

func TestCloseEndsAReceiveThatWaits(t *testing.T) {
	for _, kind := range kinds[1:] { // a queue in memory has no end
		t.Run(kind.name, func(t *testing.T) {
			_, source := kind.make(t)
			s := openSource(t, source)
			received := make(chan error)
			go func() {
				_, err := s.Receive(context.Background())
				received <- err
			}()
			time.Sleep(50 * time.Millisecond)
			closeSource(t, s)
			if err := <-received; err == nil {
				t.Error("Receive gave a message that nobody published")
			}
		})
	}
}
