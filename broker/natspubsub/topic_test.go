package natspubsub

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"gocloud.dev/pubsub/driver"
)

func mustConnect(t *testing.T, a Address) *nats.Conn {
	t.Helper()
	conn, err := Connect(a)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

// TestPublishGivesUpOnAServerThatDoesNotAnswer has the messages taken by someone
// who stores them as little as a server whose disk is full, and is as silent.
func TestPublishGivesUpOnAServerThatDoesNotAnswer(t *testing.T) {
	leaveNothing(t)
	a := address(startEmbedded(t))
	conn := mustConnect(t, a)
	if _, err := conn.Subscribe(a.Stream, func(*nats.Msg) {}); err != nil {
		t.Fatal(err)
	}
	topic, err := newTopic(conn, a.Stream)
	if err != nil {
		t.Fatal(err)
	}
	topic.patience = 200 * time.Millisecond
	err = topic.Publish(t.Context(), []*driver.Message{{Body: []byte("lost")}})
	if !errors.Is(err, jetstream.ErrAsyncPublishTimeout) || !strings.Contains(err.Error(), "perhaps its disk is full") {
		t.Errorf("got the error %v, want one that says that nothing is stored", err)
	}
}

func TestPublishWaitsForAStreamThatIsBeingRecovered(t *testing.T) {
	leaveNothing(t)
	a := address(startEmbedded(t))
	conn := mustConnect(t, a)
	topic, err := newTopic(conn, a.Stream)
	if err != nil {
		t.Fatal(err)
	}
	made := make(chan error, 1)
	time.AfterFunc(200*time.Millisecond, func() {
		_, err := openStream(context.Background(), topic.js, a)
		made <- err
	})
	if err := topic.Publish(t.Context(), []*driver.Message{{Body: []byte("early")}}); err != nil {
		t.Error(err)
	}
	if err := <-made; err != nil {
		t.Fatal(err)
	}
}

func TestPublishGivesUpOnAStreamThatIsGone(t *testing.T) {
	leaveNothing(t)
	a := address(startEmbedded(t))
	topic, err := newTopic(mustConnect(t, a), a.Stream)
	if err != nil {
		t.Fatal(err)
	}
	topic.patience = 200 * time.Millisecond
	err = topic.Publish(t.Context(), []*driver.Message{{Body: []byte("lost")}})
	if !errors.Is(err, jetstream.ErrNoStreamResponse) || !strings.Contains(err.Error(), a.Stream) {
		t.Errorf("got the error %v, want one that says that %s is gone", err, a.Stream)
	}
}
