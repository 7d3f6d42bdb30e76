package natspubsub

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"gocloud.dev/pubsub"
	"gocloud.dev/pubsub/driver"
	"gocloud.dev/pubsub/drivertest"

	"starling/broker/embedded"
	"starling/broker/natspubsub/natstest"
)

// harness runs gocloud's suite against one server.
type harness struct {
	conn   *nats.Conn
	server string
}

var streams atomic.Int64

func address(server string) Address {
	a, err := ParseURL(fmt.Sprintf("nats://%s/test-%d?max_bytes=10000000", server, streams.Add(1)))
	if err != nil {
		panic(err)
	}
	return a
}

func (h *harness) CreateTopic(ctx context.Context, _ string) (driver.Topic, func(), error) {
	a := address(h.server)
	topic, err := newTopic(h.conn, a.Stream)
	if err != nil {
		return nil, nil, err
	}
	if _, err := openStream(ctx, topic.js, a); err != nil {
		return nil, nil, err
	}
	return topic, func() { _ = topic.js.DeleteStream(context.Background(), a.Stream) }, nil
}

func (h *harness) MakeNonexistentTopic(context.Context) (driver.Topic, error) {
	return newTopic(h.conn, "nonexistent")
}

func (h *harness) CreateSubscription(
	ctx context.Context, topic driver.Topic, _ string,
) (driver.Subscription, func(), error) {
	a := address(h.server)
	a.Stream, a.Consumer = topic.(*Topic).subject, a.Stream
	s, err := newSubscription(h.conn, a)
	if err != nil {
		return nil, nil, err
	}
	stream, err := openStream(ctx, s.js, a)
	if err != nil {
		return nil, nil, err
	}
	_, err = openConsumer(ctx, stream, a)
	return s, func() {
		_ = s.Close() // some tests do not
		_ = stream.DeleteConsumer(context.Background(), a.Consumer)
	}, err
}

func (h *harness) MakeNonexistentSubscription(context.Context) (driver.Subscription, func(), error) {
	a := address(h.server)
	a.Stream = "nonexistent"
	s, err := newSubscription(h.conn, a)
	return s, func() {}, err
}

func (h *harness) Close()                              { h.conn.Close() }
func (h *harness) MaxBatchSizes() (int, int)           { return 0, 0 }
func (h *harness) SupportsMultipleSubscriptions() bool { return true }

// asTest checks the types that the package's comment promises for As.
type asTest struct{}

func (asTest) Name() string { return "JetStream types" }

func (asTest) TopicCheck(topic *pubsub.Topic) error {
	var js jetstream.JetStream
	var direct *Topic
	if !topic.As(&js) || !topic.As(&direct) {
		return errors.New("Topic.As failed")
	}
	return nil
}

func (asTest) SubscriptionCheck(s *pubsub.Subscription) error {
	var consumer jetstream.Consumer
	if s.As(&consumer) {
		return errors.New("Subscription.As gave a consumer before receiving")
	}
	return nil
}

func (asTest) TopicErrorCheck(_ *pubsub.Topic, err error) error {
	if !errors.Is(err, jetstream.ErrNoStreamResponse) {
		return fmt.Errorf("%w is not ErrNoStreamResponse", err)
	}
	return nil
}

func (asTest) SubscriptionErrorCheck(s *pubsub.Subscription, err error) error {
	var api jetstream.JetStreamError
	if !s.ErrorAs(err, &api) || api.APIError().ErrorCode != jetstream.JSErrCodeStreamNotFound {
		return fmt.Errorf("%w is not a JetStream error for a missing stream", err)
	}
	return nil
}

func (asTest) MessageCheck(m *pubsub.Message) error {
	var metadata *jetstream.MsgMetadata
	if !m.As(&metadata) || metadata.Sequence.Stream != 1 || time.Since(metadata.Timestamp) > time.Minute {
		return fmt.Errorf("Message.As gave %+v", metadata)
	}
	return nil
}

func (asTest) BeforeSend(as func(any) bool) error {
	var m *nats.Msg
	if !as(&m) || m.Subject == "" {
		return errors.New("BeforeSend's As failed")
	}
	return nil
}

func (asTest) AfterSend(as func(any) bool) error {
	var ack *jetstream.PubAck
	if !as(&ack) || ack.Sequence != 1 {
		return errors.New("AfterSend's As failed")
	}
	return nil
}

func TestConformanceEmbedded(t *testing.T) { testConformance(t, startEmbedded(t)) }

// TestConformanceInstalled runs the suite, and the takeover, against the
// nats-server of this machine, which is usually older than the embedded one.
func TestConformanceInstalled(t *testing.T) {
	server := natstest.Start(t).Addr
	testConformance(t, server)
	t.Run("Takeover", func(t *testing.T) { testTakeover(t, server) })
}

func testConformance(t *testing.T, server string) {
	drivertest.RunConformanceTests(t, func(context.Context, *testing.T) (drivertest.Harness, error) {
		conn, err := Connect(address(server))
		return &harness{conn, server}, err
	}, []drivertest.AsTest{asTest{}})
}

func startEmbedded(t testing.TB) string {
	t.Helper()
	server, err := embedded.Start(t.TempDir(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Shutdown)
	return hostOf(server)
}

func hostOf(server *embedded.Server) string {
	return strings.TrimSuffix(strings.TrimPrefix(server.URL("x"), "nats://"), "/x")
}

func BenchmarkPortable(b *testing.B) {
	a := address(startEmbedded(b))
	conn, err := Connect(a)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	topic, err := OpenTopic(b.Context(), conn, a)
	if err != nil {
		b.Fatal(err)
	}
	subscription, err := OpenSubscription(b.Context(), conn, a)
	if err != nil {
		b.Fatal(err)
	}
	drivertest.RunBenchmarks(b, topic, subscription)
	if err := errors.Join(topic.Shutdown(b.Context()), subscription.Shutdown(b.Context())); err != nil {
		b.Fatal(err)
	}
}
