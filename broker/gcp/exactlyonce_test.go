package gcp

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"cloud.google.com/go/pubsub/v2/pstest"
	"golang.org/x/sync/semaphore"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// refusing answers the first requests with an error.
type refusing struct {
	code codes.Code

	mu    sync.Mutex
	times int // yet to refuse
}

// React implements pstest.Reactor.
func (r *refusing) React(any) (handled bool, result any, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.times == 0 {
		return false, nil, nil
	}
	r.times--
	return true, nil, status.Error(r.code, "refused for the test")
}

func (r *refusing) setTimes(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.times = n
}

// startRefusing starts a fake with a subscription of exactly-once delivery which
// refuses acknowledgements, and publishes a message.
func startRefusing(t *testing.T, times int, code codes.Code) (server *pstest.Server, refusal *refusing, message string) {
	t.Helper()
	refusal = &refusing{times: times, code: code}
	server = startFake(t, pstest.ServerReactorOption{FuncName: "Acknowledge", Reactor: refusal})
	create(t, server, &pubsubpb.Subscription{EnableExactlyOnceDelivery: true})
	return server, refusal, server.Publish(topicName(texts), []byte("once"), nil)
}

// TestAnAcknowledgementIsRepeatedUntilItIsConfirmed has the service fail for a
// passing reason: closing waits for the repetition.
func TestAnAcknowledgementIsRepeatedUntilItIsConfirmed(t *testing.T) {
	t.Parallel()
	server, refusal, id := startRefusing(t, 2, codes.Aborted)
	r := read(t, server)
	r.receive().Ack()
	r.close()
	if refusal.times != 0 {
		t.Errorf("the server was to refuse %d more", refusal.times)
	}
	if m := server.Message(id); m.Acks != 1 {
		t.Errorf("the source is closed and the server has %d acknowledgements, want 1", m.Acks)
	}
}

// TestARefusedAcknowledgementIsKnown has the service refuse one for good, as it
// does when the lease has ended: that is said, and the message comes again when
// its lease ends.
func TestARefusedAcknowledgementIsKnown(t *testing.T) {
	said := captureLog(t)
	server, _, id := startRefusing(t, 1, codes.FailedPrecondition)
	r := read(t, server)
	r.receive().Ack()
	waitFor(t, func() bool { return strings.Contains(said(), "refused an acknowledgement") })
	for _, want := range []string{id, subscriptionName(texts), "refused for the test"} {
		if !strings.Contains(said(), want) {
			t.Errorf("the log does not name %s: %s", want, said())
		}
	}
	server.SetTimeNowFunc(func() time.Time { return time.Now().Add(5 * time.Minute) })
	again := r.receive()
	if again.LoggableID != id {
		t.Errorf("%s came, want %s again", again.LoggableID, id)
	}
	again.Ack()
	r.close()
	if m := server.Message(id); m.Acks != 1 {
		t.Errorf("the server has %d acknowledgements, want 1", m.Acks)
	}
}

// TestClosingSaysThatAcknowledgementsAreUnconfirmed has the service fail all the
// time.
func TestClosingSaysThatAcknowledgementsAreUnconfirmed(t *testing.T) {
	captureLog(t) // the acknowledgement is given up
	server, _, _ := startRefusing(t, 1_000_000, codes.Aborted)
	r := read(t, server)
	r.driver.patience = 300 * time.Millisecond
	r.receive().Ack()
	if err := r.shut(); !errors.Is(err, errUnconfirmed) {
		t.Errorf("closing gave the error %v, want %v", err, errUnconfirmed)
	}
}

// TestRoomIsFreeOnlyWhenTheServiceHasConfirmed counts an acknowledged message as
// held until then.
func TestRoomIsFreeOnlyWhenTheServiceHasConfirmed(t *testing.T) {
	t.Parallel()
	server, refusal, _ := startRefusing(t, 1_000_000, codes.Aborted)
	server.Publish(topicName(texts), []byte("second"), nil)
	r := read(t, server)
	r.driver.held.messages = semaphore.NewWeighted(1)
	r.receive().Ack()
	r.checkSilent(500 * time.Millisecond)
	refusal.setTimes(0)
	r.receive().Ack()
	r.close()
}

// captureLog collects what is logged by default.
func captureLog(t *testing.T) (said func() string) {
	t.Helper()
	var mu sync.Mutex
	var all bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(writer(func(p []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return all.Write(p)
	}), nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	return func() string {
		mu.Lock()
		defer mu.Unlock()
		return all.String()
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

func waitFor(t *testing.T, what func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !what(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not happen")
		}
	}
}
