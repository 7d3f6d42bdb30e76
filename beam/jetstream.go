package beam

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/types/known/timestamppb"

	"starling/broker/natspubsub"
)

// jetStream pulls through a durable consumer of NATS JetStream. The name of a delivery
// is the subject that its answer goes to, so any process can settle it.
type jetStream struct {
	conn     *nats.Conn
	consumer jetstream.Consumer
	stream   string
}

// fetchWait bounds one pull.
const fetchWait = time.Second

func openJetStream(ctx context.Context, url string) (*jetStream, error) {
	address, err := natspubsub.ParseURL(url)
	if err != nil {
		return nil, err
	}
	conn, err := natspubsub.Connect(address)
	if err != nil {
		return nil, err
	}
	consumer, err := natspubsub.OpenConsumer(ctx, conn, address)
	if err != nil {
		conn.Close()
		return nil, err
	}
	return &jetStream{conn: conn, consumer: consumer, stream: address.Stream}, nil
}

func (j *jetStream) pull(_ context.Context, most int) ([]delivery, error) {
	batch, err := j.consumer.Fetch(most, jetstream.FetchMaxWait(fetchWait))
	if err != nil {
		return nil, fmt.Errorf("pulling from stream %s: %w", j.stream, err)
	}
	var deliveries []delivery
	for m := range batch.Messages() {
		metadata, err := m.Metadata()
		if err != nil {
			slog.Warn("ignoring a message that is not JetStream's", "stream", j.stream, "error", err)
			continue
		}
		deliveries = append(deliveries, delivery{ack: m.Reply(), message: &pubsubpb.PubsubMessage{
			Data: m.Data(), Attributes: natspubsub.Attributes(m.Headers()),
			MessageId:   metadata.Stream + ":" + strconv.FormatUint(metadata.Sequence.Stream, 10),
			PublishTime: timestamppb.New(metadata.Timestamp),
		}})
	}
	if err := batch.Error(); err != nil && len(deliveries) == 0 && !errors.Is(err, nats.ErrTimeout) {
		return nil, fmt.Errorf("pulling from stream %s: %w", j.stream, err)
	}
	return deliveries, nil
}

// The answers that JetStream understands.
const (
	ack      = "+ACK"
	nak      = "-NAK"
	progress = "+WPI"
)

// acknowledge sends the acknowledgements and waits until the server has taken the
// last one, and with it those before.
func (j *jetStream) acknowledge(ctx context.Context, acks []string) error {
	last := len(acks) - 1
	for _, subject := range acks[:last] {
		if err := j.conn.Publish(subject, []byte(ack)); err != nil {
			return fmt.Errorf("acknowledging to stream %s: %w", j.stream, err)
		}
	}
	if _, err := j.conn.RequestWithContext(ctx, acks[last], []byte(ack)); err != nil {
		return fmt.Errorf("acknowledging to stream %s: %w", j.stream, err)
	}
	return nil
}

// extend begins the consumer's ack wait anew, which JetStream has no other length for.
func (j *jetStream) extend(_ context.Context, acks []string, _ time.Duration) {
	j.answer(acks, progress)
}

func (j *jetStream) release(_ context.Context, acks []string) { j.answer(acks, nak) }

func (j *jetStream) answer(acks []string, answer string) {
	for _, subject := range acks {
		if err := j.conn.Publish(subject, []byte(answer)); err != nil {
			slog.Warn("answering the broker; some messages may come late or twice", "stream", j.stream, "error", err)
			return
		}
	}
}

func (j *jetStream) close() { j.conn.Close() }
