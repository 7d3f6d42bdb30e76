package broker

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"starling/broker/embedded"
)

// TestPublishingGoesOnWhenTheServerRestarts restarts the server while messages
// are published one after the other and in batches: each comes at least once,
// and the first delivery of each is in order.
func TestPublishingGoesOnWhenTheServerRestarts(t *testing.T) {
	leaveNothing(t)
	const batches, size = 300, 20
	dir := t.TempDir()
	server := startEmbedded(t, dir, "127.0.0.1:0")
	url, host := server.URL("texts"), hostOf(server)
	source := openSource(t, url)
	published := make(chan error, 1)
	topic := openTopic(t, url)
	go func() { published <- publishSlowly(t.Context(), topic, batches, size) }()
	for range 2 {
		time.Sleep(200 * time.Millisecond)
		server.Shutdown()
		time.Sleep(300 * time.Millisecond)
		server = startEmbedded(t, dir, host)
	}
	receiveInOrder(t, source, batches*size)
	if err := <-published; err != nil {
		t.Error(err)
	}
}

func publishSlowly(ctx context.Context, topic *Topic, batches, size int) error {
	for b := range batches {
		batch := make([]OutMessage, size)
		for i := range batch {
			batch[i].Body = fmt.Append(nil, b*size+i)
		}
		if err := topic.Publish(ctx, batch); err != nil {
			return err
		}
		time.Sleep(2 * time.Millisecond)
	}
	return nil
}

// receiveInOrder receives the numbers from 0 to n-1, passing over repetitions,
// and acknowledges them.
func receiveInOrder(t *testing.T, source *Source, n int) {
	t.Helper()
	for next := 0; next < n; {
		m := receive(t, source)
		var number int
		if _, err := fmt.Sscan(string(m.Body), &number); err != nil {
			t.Fatal(err)
		}
		if number > next {
			t.Fatalf("%d came before %d", number, next)
		}
		if number == next {
			next++
		}
		m.Ack()
	}
}

// TestReceivingGoesOnWhenTheServerRestarts has the server away when the reader
// begins, and again when it acknowledges. That acknowledgement waits, or is lost
// on its way to a server that has just gone: then the message comes again.
func TestReceivingGoesOnWhenTheServerRestarts(t *testing.T) {
	leaveNothing(t)
	dir := t.TempDir()
	server := startEmbedded(t, dir, "127.0.0.1:0")
	url, host := server.URL("texts")+"?ack_wait=1s", hostOf(server)
	publishNumbers(t, url, 10)
	source := openSource(t, url)
	server.Shutdown()
	back := make(chan *embedded.Server)
	go func() {
		time.Sleep(300 * time.Millisecond)
		back <- startEmbedded(t, dir, host)
	}()
	held := receive(t, source)

	server = <-back
	server.Shutdown()
	held.Ack()
	startEmbedded(t, dir, host)
	publishNumbers(t, url, 1)
	received := map[string]bool{held.ID: true}
	for len(received) < 11 {
		m := receive(t, source)
		received[m.ID] = true
		m.Ack()
	}
	acknowledgeAll(t, source)
}

// acknowledgeAll acknowledges what comes until the broker holds nothing more.
func acknowledgeAll(t *testing.T, source *Source) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); {
		held, _, err := source.Backlog(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if held == 0 {
			return
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if m, err := source.Receive(ctx); err == nil {
			m.Ack()
		}
		cancel()
	}
	t.Error("the broker still holds messages")
}

func TestPublishingWaitsNoLongerThanItMay(t *testing.T) {
	leaveNothing(t)
	server := startNATS(t)
	topic := openTopic(t, server.URL("texts"))
	server.Shutdown()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	begin := time.Now()
	err := topic.Publish(ctx, []OutMessage{{Body: []byte("late")}})
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > 3*time.Second {
		t.Errorf("after %v, got the error %v", time.Since(begin), err)
	}
}

func TestCloseDoesNotHangWhenTheServerIsGone(t *testing.T) {
	leaveNothing(t)
	server := startNATS(t)
	publishNumbers(t, server.URL("texts"), 10)
	source := openSource(t, server.URL("texts"))
	receive(t, source).Ack()
	held := receive(t, source)
	server.Shutdown()
	held.Ack()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	begin := time.Now()
	if err := source.Close(ctx); err == nil {
		t.Error("the acknowledgement was lost and Close does not say so")
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("Close took %v", took)
	}
}
