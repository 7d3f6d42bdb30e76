package broker

import (
	"context"
	"errors"
	"testing"
	"time"

	"starling/broker/embedded"
)

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
	for deadline := time.Now().Add(time.Minute); len(received) < 11; {
		m := receive(t, source)
		if time.Now().After(deadline) {
			t.Fatalf("%d of 11 messages came, and the others again and again", len(received))
		}
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
