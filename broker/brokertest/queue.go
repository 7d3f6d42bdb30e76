package brokertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"starling/broker"
)

const (
	// patience is how long a message may take that must come.
	patience = 30 * time.Second
	// allowed is how long one test may receive: a broker must not deliver the same
	// messages for ever.
	allowed = 90 * time.Second
	// quiet is how long nothing must come where nothing is left.
	quiet = 300 * time.Millisecond
)

// A queue is a Queue under test. Its methods fail the test, but for publish.
type queue struct {
	Queue
	t        *testing.T
	deadline time.Time // by which all must have come
}

// open opens a reader, which ends with the test unless it is closed before.
func (q *queue) open() *broker.Source {
	q.t.Helper()
	source, err := broker.OpenSource(q.t.Context(), q.Source, q.Options)
	if err != nil {
		q.t.Fatal(err)
	}
	q.t.Cleanup(func() {
		// A test that failed may have left the broker away.
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_ = source.Close(ctx) // it may be closed already
	})
	return source
}

func (q *queue) close(source *broker.Source) {
	q.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := source.Close(ctx); err != nil {
		q.t.Fatalf("closing the source: %v", err)
	}
}

// publish publishes messages from any goroutine.
func (q *queue) publish(ctx context.Context, messages ...broker.OutMessage) (err error) {
	if q.Publish != nil {
		return q.Publish(ctx, messages)
	}
	topic, err := broker.OpenTopic(ctx, q.Topic)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		err = errors.Join(err, topic.Close(ctx))
	}()
	return topic.Publish(ctx, messages)
}

// put publishes messages and fails the test when that fails.
func (q *queue) put(messages ...broker.OutMessage) {
	q.t.Helper()
	if err := q.publish(q.t.Context(), messages...); err != nil {
		q.t.Fatalf("publishing: %v", err)
	}
}

// numbers makes the messages from "text 0" on, each with an id.
func numbers(first, n int) []broker.OutMessage {
	messages := make([]broker.OutMessage, n)
	for i := range messages {
		messages[i] = broker.OutMessage{
			Body:       fmt.Append(nil, "text ", first+i),
			Attributes: map[string]string{"id": fmt.Sprint("id-", first+i)},
		}
	}
	return messages
}

// number is the inverse of numbers.
func (q *queue) number(m *broker.Message) int {
	q.t.Helper()
	var n int
	if _, err := fmt.Sscanf(string(m.Body), "text %d", &n); err != nil {
		q.t.Fatalf("a message came that nobody published: %q, %s", m.Body, m.ID)
	}
	return n
}

// receive returns the next message.
func (q *queue) receive(source *broker.Source) *broker.Message {
	q.t.Helper()
	ctx, cancel := context.WithTimeout(q.t.Context(), min(patience, time.Until(q.deadline)))
	defer cancel()
	m, err := source.Receive(ctx)
	if err != nil {
		q.t.Fatalf("receiving: %v", err)
	}
	return m
}

// receiveAll receives n messages and returns them by their numbers. It fails
// when one comes twice.
func (q *queue) receiveAll(source *broker.Source, n int) map[int]*broker.Message {
	q.t.Helper()
	all := make(map[int]*broker.Message, n)
	for range n {
		m := q.receive(source)
		if all[q.number(m)] != nil {
			q.t.Fatalf("%q came twice", m.Body)
		}
		all[q.number(m)] = m
	}
	return all
}

// drain acknowledges what still comes, until nothing does and the broker, if it
// can tell, holds nothing.
func (q *queue) drain(source *broker.Source) {
	q.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if m := q.next(source, quiet); m != nil {
			m.Ack()
			continue
		}
		if n, known, err := source.Backlog(q.t.Context()); !known || n == 0 && err == nil {
			return
		}
	}
	n, known, err := source.Backlog(q.t.Context())
	q.t.Errorf("all is acknowledged, and the broker still holds %d messages (%v, %v)", n, known, err)
}

// next returns the next message, or nil when none comes within a time.
func (q *queue) next(source *broker.Source, within time.Duration) *broker.Message {
	q.t.Helper()
	ctx, cancel := context.WithTimeout(q.t.Context(), within)
	defer cancel()
	m, err := source.Receive(ctx)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		q.t.Fatalf("receiving: %v", err)
	}
	return m
}

// checkEmpty checks that nothing more comes.
func (q *queue) checkEmpty(source *broker.Source) {
	q.t.Helper()
	if m := q.next(source, quiet); m != nil {
		q.t.Errorf("%q, %s, came, want nothing more", m.Body, m.ID)
	}
}

// same says whether a message received is one published.
func (q *queue) same(m *broker.Message, published broker.OutMessage) bool {
	return bytes.Equal(m.Body, published.Body) && (q.Bare || m.Attributes["id"] == published.Attributes["id"])
}
