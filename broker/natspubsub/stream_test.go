package natspubsub

import (
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// mustMake makes a stream, and a consumer where config is not nil, as another
// program would.
func mustMake(t *testing.T, a Address, subject string, config *jetstream.ConsumerConfig) jetstream.Stream {
	t.Helper()
	js, err := jetstream.New(mustConnect(t, a))
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: a.Stream, Subjects: []string{subject}})
	if err != nil {
		t.Fatal(err)
	}
	if config != nil {
		if _, err := stream.CreateConsumer(t.Context(), *config); err != nil {
			t.Fatal(err)
		}
	}
	return stream
}

func TestAStreamOfOtherSubjectsIsRefusedToPublishers(t *testing.T) {
	leaveNothing(t)
	a := address(startEmbedded(t))
	mustMake(t, a, "other.>", nil)
	conn := mustConnect(t, a)
	_, openErr := OpenTopic(t.Context(), conn, a)
	for _, err := range []error{openErr, CheckTopic(t.Context(), conn, a)} {
		if err == nil || !strings.Contains(err.Error(), `takes the subjects ["other.>"]`) {
			t.Errorf("got the error %v, want one that names the subjects", err)
		}
	}
	if err := CheckSubscription(t.Context(), conn, a); err != nil {
		t.Errorf("it can be read, yet %v", err)
	}
}

func TestAConsumerThatAcknowledgesOtherwiseIsRefused(t *testing.T) {
	leaveNothing(t)
	a := address(startEmbedded(t))
	mustMake(t, a, a.Stream, &jetstream.ConsumerConfig{Durable: a.Consumer, AckPolicy: jetstream.AckAllPolicy})
	_, err := OpenSubscription(t.Context(), mustConnect(t, a), a)
	if err == nil || !strings.Contains(err.Error(), "explicit acknowledgement") {
		t.Errorf("got the error %v, want one about the acknowledgements", err)
	}
}

func TestAConsumerTakesTheSettingsThatTheURLNames(t *testing.T) {
	leaveNothing(t)
	a := address(startEmbedded(t))
	stream := mustMake(t, a, a.Stream, &jetstream.ConsumerConfig{
		Durable: a.Consumer, AckPolicy: jetstream.AckExplicitPolicy, AckWait: time.Minute, MaxAckPending: 100,
	})
	for _, test := range []struct {
		query   string
		ackWait time.Duration
	}{{"", time.Minute}, {"?ack_wait=5s", 5 * time.Second}} {
		a, err := ParseURL("nats://" + a.Server + "/" + a.Stream + test.query)
		if err != nil {
			t.Fatal(err)
		}
		reader := openReader(t, a)
		reader.die()
		consumer, err := stream.Consumer(t.Context(), a.Consumer)
		if err != nil {
			t.Fatal(err)
		}
		if config := consumer.CachedInfo().Config; config.AckWait != test.ackWait || config.MaxAckPending != 100 {
			t.Errorf("opened with %q, the consumer has an ack wait of %v and at most %d pending",
				test.query, config.AckWait, config.MaxAckPending)
		}
	}
}
