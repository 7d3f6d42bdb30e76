package natspubsub

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"gocloud.dev/pubsub"
	"gocloud.dev/pubsub/driver"
)

// reader is a connection with a subscription, as one process has them.
type reader struct {
	conn         *nats.Conn
	subscription *pubsub.Subscription
}

func openReader(t *testing.T, a Address) reader {
	t.Helper()
	conn, err := Connect(a)
	if err != nil {
		t.Fatal(err)
	}
	subscription, err := OpenSubscription(t.Context(), conn, a)
	if err != nil {
		t.Fatal(err)
	}
	return reader{conn, subscription}
}

// die drops the connection, as the death of the process does, and only then
// ends the goroutines.
func (r reader) die() {
	r.conn.Close()
	r.drain()
	_ = r.subscription.Shutdown(context.Background()) // fails: its connection is gone
}

// drain ends gocloud's prefetching, and then gives back what it had fetched.
func (r reader) drain() {
	var stopper interface{ StopReceiving() }
	r.subscription.As(&stopper)
	stopper.StopReceiving()
	var ahead []*pubsub.Message
	for {
		m, err := r.subscription.Receive(context.Background())
		if err != nil {
			break
		}
		ahead = append(ahead, m)
	}
	for _, m := range ahead {
		m.Nack()
	}
}

func (r reader) receive(t *testing.T, n int) []*pubsub.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	messages := make([]*pubsub.Message, n)
	for i := range messages {
		m, err := r.subscription.Receive(ctx)
		if err != nil {
			t.Fatalf("receiving message %d of %d: %v", i, n, err)
		}
		messages[i] = m
	}
	return messages
}

func publishNumbers(t testing.TB, a Address, n int) {
	t.Helper()
	conn, err := Connect(a)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	topic, err := OpenTopic(t.Context(), conn, a)
	if err != nil {
		t.Fatal(err)
	}
	messages := make([]*driver.Message, n)
	for i := range messages {
		messages[i] = &driver.Message{Body: []byte(strconv.Itoa(i))}
	}
	var direct *Topic
	topic.As(&direct)
	if err := direct.Publish(t.Context(), messages); err != nil {
		t.Fatal(err)
	}
	if err := topic.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestTakeoverAfterCrash(t *testing.T) {
	leaveNothing(t)
	testTakeover(t, startEmbedded(t))
}

// testTakeover kills a reader that has received 500 messages and acknowledged
// every other one from the tenth on: its successor gets what is left at once
// and in order.
func testTakeover(t *testing.T, server string) {
	const total, received, first = 800, 500, 10
	a := address(server)
	publishNumbers(t, a, total)
	dead := openReader(t, a)
	for i, m := range dead.receive(t, received) {
		if i >= first && i%2 == 0 {
			m.Ack()
		}
	}
	waitAcked(t, dead.conn, a, total-(received-first)/2)
	dead.die()

	begin := time.Now()
	heir := openReader(t, a)
	defer heir.die()
	messages := heir.receive(t, total)
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("the messages came after %v, not at once", took)
	}
	for i, m := range messages {
		if string(m.Body) != strconv.Itoa(i) {
			t.Fatalf("message %d of the new reader is %s", i, m.Body)
		}
		m.Ack()
	}
}

// waitAcked waits until the server has processed acknowledgements, so that it
// holds no more than left messages.
func waitAcked(t *testing.T, conn *nats.Conn, a Address, left int64) {
	t.Helper()
	for range 200 {
		n, err := Backlog(t.Context(), conn, a)
		if err != nil {
			t.Fatal(err)
		}
		if n <= left {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("the acknowledgements did not arrive")
}

func TestTakeoverLeavesLiveReaderAlone(t *testing.T) {
	leaveNothing(t)
	a := address(startEmbedded(t))
	publishNumbers(t, a, 20)
	alive := openReader(t, a)
	defer alive.die()
	messages := alive.receive(t, 20)

	second := openReader(t, a)
	defer second.die()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if m, err := second.subscription.Receive(ctx); err == nil {
		t.Errorf("the second reader got %s, which the first holds", m.Body)
	}
	for _, m := range messages {
		m.Ack()
	}
	waitAcked(t, alive.conn, a, 0)
}

func TestShutdownFlushesAcknowledgements(t *testing.T) {
	leaveNothing(t)
	const total, acked = 3000, 1234
	a := address(startEmbedded(t))
	publishNumbers(t, a, total)
	r := openReader(t, a)
	for i, m := range r.receive(t, total) {
		if i < acked {
			m.Ack()
		} else {
			m.Nack()
		}
	}
	r.drain()
	if err := r.subscription.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	n, err := Backlog(t.Context(), r.conn, a)
	if err != nil || n != total-acked {
		t.Errorf("after the shutdown the server holds %d messages, want %d (%v)", n, total-acked, err)
	}
	r.conn.Close()
	next := openReader(t, a)
	defer next.die()
	for i, m := range next.receive(t, total-acked) {
		if string(m.Body) != strconv.Itoa(acked+i) {
			t.Fatalf("message %d of the next reader is %s, want %d", i, m.Body, acked+i)
		}
	}
}

func TestLeaseIsRenewedWhileMessageIsHeld(t *testing.T) {
	leaveNothing(t)
	a, err := ParseURL(fmt.Sprintf("nats://%s/slow?ack_wait=1s", startEmbedded(t)))
	if err != nil {
		t.Fatal(err)
	}
	publishNumbers(t, a, 1)
	r := openReader(t, a)
	defer r.die()
	held := r.receive(t, 1)[0]
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	if _, err := r.subscription.Receive(ctx); err == nil {
		t.Fatal("a message came again while its reader held it")
	}
	held.Ack()
	waitAcked(t, r.conn, a, 0)
}
