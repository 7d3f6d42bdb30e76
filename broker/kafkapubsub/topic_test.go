package kafkapubsub

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
	"gocloud.dev/pubsub/driver"
)

func openDirect(t *testing.T, a Address) *Topic {
	t.Helper()
	topic, err := OpenTopic(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := topic.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	var direct *Topic
	topic.As(&direct)
	return direct
}

func TestATopicIsMadeWhenTheURLSaysHow(t *testing.T) {
	leaveNothing(t)
	a := address(t, startKafka(t), 3)
	without := a
	without.Partitions = 0
	_, err := OpenTopic(t.Context(), without)
	if !errors.Is(err, kerr.UnknownTopicOrPartition) || !strings.Contains(err.Error(), "?partitions=N") {
		t.Errorf("got the error %v, want one that says how to make the topic", err)
	}
	openDirect(t, a)
	openDirect(t, without) // it is there now
	a.Partitions = 5
	topic := openDirect(t, a) // and stays as it is
	topics, err := kadm.NewClient(topic.client).ListTopics(t.Context(), a.Topic)
	if err != nil || len(topics[a.Topic].Partitions) != 3 {
		t.Errorf("the topic has partitions %v, %v, want 3", topics[a.Topic].Partitions, err)
	}
}

// TestWhatTheClientRepeatsIsStoredOnce loses an answer of the broker, so that
// the client sends again what is stored already.
func TestWhatTheClientRepeatsIsStoredOnce(t *testing.T) {
	leaveNothing(t)
	const total = 2000
	cluster := startKafka(t)
	a := address(t, cluster, 1)
	topic := openDirect(t, a)
	produced := 0
	cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		if produced++; produced%3 == 1 {
			return nil, errors.New("the connection breaks"), true
		}
		return nil, nil, false
	})
	for i := 0; i < total; i += 500 {
		if err := topic.Publish(t.Context(), numbers(i, i+499)); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, a)
	defer shutDown(t, s)
	for i := range total {
		m := receive(t, s)
		if string(m.Body) != fmt.Sprint(i) {
			t.Fatalf("message %d is %q", i, m.Body)
		}
		m.Ack()
	}
	checkBacklog(t, s, 0)
}

func TestAMessageThatIsTooLarge(t *testing.T) {
	leaveNothing(t)
	topic := openDirect(t, address(t, startKafka(t), 1))
	err := topic.Publish(t.Context(), []*driver.Message{{Body: make([]byte, 2<<20)}})
	if !errors.Is(err, kerr.MessageTooLarge) || !strings.Contains(err.Error(), "topic texts at 127.0.0.1:") ||
		!strings.Contains(err.Error(), "max.message.bytes") {
		t.Errorf("got the error %v, want one about the size", err)
	}
}

func TestPublishingWaitsNoLongerThanItMay(t *testing.T) {
	leaveNothing(t)
	cluster := startKafka(t)
	topic := openDirect(t, address(t, cluster, 1))
	if err := topic.Publish(t.Context(), numbers(0, 9)); err != nil {
		t.Fatal(err)
	}
	cluster.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	begin := time.Now()
	err := topic.Publish(ctx, numbers(10, 19))
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > 3*time.Second {
		t.Errorf("after %v, got the error %v", time.Since(begin), err)
	}
}
