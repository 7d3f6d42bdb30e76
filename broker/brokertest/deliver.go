package brokertest

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"starling/broker"
)

func testMessages(t *testing.T, q *queue) {
	begin := time.Now()
	want := broker.OutMessage{Body: []byte("ein Täxt"), Attributes: map[string]string{"id": "7f3a", "key": "a ü b"}}
	q.put(want)
	source := q.open()
	got := q.receive(source)
	if string(got.Body) != string(want.Body) || !q.Bare && !maps.Equal(got.Attributes, want.Attributes) {
		t.Errorf("got %q with %q, want %q with %q", got.Body, got.Attributes, want.Body, want.Attributes)
	}
	if got.ID == "" {
		t.Error("the message has no id of the broker's")
	}
	if !got.Time.IsZero() && (got.Time.Before(begin.Add(-2*time.Second)) || got.Time.After(time.Now().Add(time.Second))) {
		t.Errorf("published at %v, it says %v", begin, got.Time)
	}
	if _, offset := got.Time.Zone(); offset != 0 {
		t.Errorf("the time %v is not in UTC", got.Time)
	}
	got.Ack()
	q.checkEmpty(source)
	q.close(source)
	if !q.Sole {
		q.checkEmpty(q.open())
	}
}

// testBodies publishes what people do publish. Bodies come byte by byte: whether
// one can be a document is decided later.
func testBodies(t *testing.T, q *queue) {
	bodies := [][]byte{
		[]byte("text"), []byte(`{"text": "in JSON"}`), []byte("\u202eright to left"), []byte("null"), []byte("0"), []byte(`""`),
		bytes.Repeat([]byte("long "), 20<<10),
	}
	if !q.Lines {
		bodies = append(bodies, nil, []byte("\xff\xfe not UTF-8"), []byte("\x00"), []byte(" padded\r\n"), []byte("\x1b[31mred"))
	}
	messages := make([]broker.OutMessage, len(bodies))
	for i, body := range bodies {
		messages[i] = broker.OutMessage{Body: body, Attributes: map[string]string{"id": strconv.Itoa(i)}}
	}
	q.put(messages...)
	source := q.open()
	for range bodies {
		m := q.receive(source)
		if !slices.ContainsFunc(messages, func(o broker.OutMessage) bool { return q.same(m, o) }) {
			t.Errorf("got %.40q of %d bytes with %q, which nobody published", m.Body, len(m.Body), m.Attributes)
		}
		m.Ack()
	}
	q.checkEmpty(source)
}

func testOrder(t *testing.T, q *queue) {
	if !q.Ordered {
		t.Skip("the broker keeps no order")
	}
	const total = 2000
	q.put(numbers(0, total)...)
	source := q.open()
	for i := range total {
		m := q.receive(source)
		if q.number(m) != i {
			t.Fatalf("message %d is %q", i, m.Body)
		}
		m.Ack()
	}
}

// testDuplicates publishes an id twice. Which one counts is the reader's to
// decide; the broker delivers both and tells them apart.
func testDuplicates(t *testing.T, q *queue) {
	message := numbers(0, 1)[0]
	q.put(message, message)
	source := q.open()
	first, second := q.receive(source), q.receive(source)
	if first.ID == second.ID {
		t.Errorf("two messages are both called %s", first.ID)
	}
	if !q.same(first, message) || !q.same(second, message) {
		t.Errorf("the ids are %q and %q, want id-0 twice", first.Attributes, second.Attributes)
	}
	first.Ack()
	second.Ack()
	q.checkEmpty(source)
}

func testCancelledReceive(t *testing.T, q *queue) {
	const total = 20
	source := q.open()
	published := make(chan error, 1)
	go func() { published <- q.publish(t.Context(), numbers(0, total)...) }()
	came := map[int]bool{}
	deadline := time.Now().Add(patience)
	for wait := time.Duration(0); len(came) < total; wait = (wait + 100*time.Microsecond) % (5 * time.Millisecond) {
		if m := q.next(source, wait); m != nil {
			came[q.number(m)] = true
			m.Ack()
		} else if time.Now().After(deadline) {
			t.Fatalf("%d of %d messages came", len(came), total)
		}
	}
	if err := <-published; err != nil {
		t.Fatal(err)
	}
	q.checkEmpty(source)
}

func testClosedSource(t *testing.T, q *queue) {
	q.put(numbers(0, 1)...)
	source := q.open()
	q.close(source)
	if m, err := source.Receive(t.Context()); err == nil {
		t.Errorf("a closed source received %q", m.Body)
	}
	if err := source.Close(t.Context()); err == nil {
		t.Error("a source was closed twice")
	}
}

func testCloseWhileReceiving(t *testing.T, q *queue) {
	if q.Endless {
		t.Skip("the queue has no end")
	}
	source := q.open()
	received := make(chan error)
	go func() {
		_, err := source.Receive(context.Background())
		received <- err
	}()
	time.Sleep(50 * time.Millisecond)
	q.close(source)
	select {
	case err := <-received:
		if err == nil {
			t.Error("Receive gave a message that nobody published")
		}
	case <-time.After(patience):
		t.Fatal("Receive still waits")
	}
}

// testReadersShare has three goroutines receive from one source, and another
// source beside it: each message comes to one of them.
func testReadersShare(t *testing.T, q *queue) {
	const total = 300
	sources := []*broker.Source{q.open()}
	if !q.Sole {
		sources = append(sources, q.open())
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var mu sync.Mutex
	came := map[string]int{}
	take := func(m *broker.Message) {
		mu.Lock()
		defer mu.Unlock()
		came[string(m.Body)]++
		if m.Ack(); len(came) == total {
			cancel()
		}
	}
	var readers sync.WaitGroup
	for _, source := range sources {
		for range 3 {
			readers.Go(func() { receiveUntil(ctx, t, source, take) })
		}
	}
	q.put(numbers(0, total)...)
	readers.Wait()
	var twice []string
	for body, times := range came {
		if times > 1 {
			twice = append(twice, body)
		}
	}
	if len(came) != total || len(twice) > 0 {
		t.Errorf("%d of %d messages came, and twice: %s", len(came), total, strings.Join(twice, ", "))
	}
}

// receiveUntil receives until ctx is done.
func receiveUntil(ctx context.Context, t *testing.T, source *broker.Source, take func(*broker.Message)) {
	for {
		m, err := source.Receive(ctx)
		if err == nil {
			take(m)
			continue
		}
		if !errors.Is(err, context.Canceled) {
			t.Errorf("receiving: %v", err)
		}
		return
	}
}
