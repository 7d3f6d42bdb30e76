package natspubsub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"gocloud.dev/gcerrors"
	"gocloud.dev/pubsub"
	"gocloud.dev/pubsub/batcher"
	"gocloud.dev/pubsub/driver"
)

const (
	// pullMessages is how many messages one request asks the server for.
	pullMessages = 1024
	// heldBytes bounds what a subscription has received and is not acknowledged:
	// beyond it, the next message waits until something is. One message always
	// fits.
	heldBytes = 64 << 20
	// batchBytes bounds what one ReceiveBatch returns.
	batchBytes = 4 << 20
	// pollTime is how long ReceiveBatch waits for a first message.
	pollTime = time.Second
	// flushTimeout bounds what Close waits for the server.
	flushTimeout = 2 * time.Second
)

// The acknowledgements that JetStream understands.
var (
	ack      = []byte("+ACK")
	nak      = []byte("-NAK")
	progress = []byte("+WPI")
)

// A subscription is gocloud's driver over one durable pull consumer. It pulls
// in the background from the first ReceiveBatch on.
type subscription struct {
	conn    *nats.Conn
	js      jetstream.JetStream
	address Address

	// arrived holds the messages that no ReceiveBatch has returned yet, in the
	// order of arrival. It has room for all that the server of a consumer made
	// here delivers without an acknowledgement.
	arrived chan *driver.Message
	leases  *leases

	ending sync.Once
	ended  chan struct{} // closed when ReceiveBatch shall fail from now on
	failed error         // why; written before ended closes

	mu       sync.Mutex // guards what follows
	closed   bool
	consumer jetstream.Consumer       // nil until the first ReceiveBatch
	consume  jetstream.ConsumeContext // as consumer
	lastAck  string                   // where the last acknowledgement went

	present *nats.Subscription // tells other processes that this one lives; may be nil
}

// OpenSubscription opens the durable consumer of an address, and makes stream
// and consumer where they are absent. It takes over what a dead reader left,
// see the package's comment. Closing the subscription flushes the
// acknowledgements and leaves conn open.
func OpenSubscription(ctx context.Context, conn *nats.Conn, a Address) (*pubsub.Subscription, error) {
	s, err := newSubscription(conn, a)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, setUpTimeout)
	defer cancel()
	stream, err := openStream(ctx, s.js, a)
	if err != nil {
		return nil, err
	}
	consumer, err := openConsumer(ctx, stream, a)
	if err != nil {
		return nil, err
	}
	if err := takeOver(ctx, conn, s.js, stream, consumer, a); err != nil {
		return nil, err
	}
	if s.present, err = answerPresence(conn, a); err != nil {
		return nil, a.consumerError(err)
	}
	s.address.AckWait = consumer.CachedInfo().Config.AckWait
	return pubsub.NewSubscription(s, receiveOptions, ackOptions), nil
}

var (
	// One ReceiveBatch at a time keeps the order of the stream.
	receiveOptions = &batcher.Options{MaxHandlers: 1}
	ackOptions     = &batcher.Options{MaxHandlers: 1, MaxBatchSize: 4096}
)

func newSubscription(conn *nats.Conn, a Address) (*subscription, error) {
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, fmt.Errorf("opening JetStream: %w", err)
	}
	return &subscription{
		conn: conn, js: js, address: a,
		arrived: make(chan *driver.Message, a.MaxAckPending), leases: newLeases(heldBytes),
		ended: make(chan struct{}),
	}, nil
}

// ReceiveBatch implements driver.Subscription.
func (s *subscription) ReceiveBatch(ctx context.Context, most int) ([]*driver.Message, error) {
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	select {
	case <-s.ended:
		return nil, s.failed
	default:
	}
	timer := time.NewTimer(pollTime)
	defer timer.Stop()
	select {
	case first := <-s.arrived:
		return s.gather(first, most), nil
	case <-timer.C:
		return nil, nil
	case <-s.ended:
		return nil, s.failed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// gather returns first and what else has arrived, as much as a batch may hold.
func (s *subscription) gather(first *driver.Message, most int) []*driver.Message {
	batch := []*driver.Message{first}
	bytes := len(first.Body)
	for len(batch) < most && bytes < batchBytes {
		select {
		case m := <-s.arrived:
			batch = append(batch, m)
			bytes += len(m.Body)
		default:
			return batch
		}
	}
	return batch
}

// StopReceiving makes ReceiveBatch fail from now on, while messages can still be
// acknowledged. A gocloud subscription keeps a goroutine for ever when it is
// shut down between two calls of Receive; who stops it first, and then receives
// until there is an error, leaves none behind.
func (s *subscription) StopReceiving() { s.end(errStopped) }

var errStopped = errors.New("the subscription is stopped")

// end makes ReceiveBatch fail with err; only the first reason counts.
func (s *subscription) end(err error) {
	s.ending.Do(func() {
		s.failed = err
		close(s.ended)
	})
}

// start begins to pull, once.
func (s *subscription) start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nats.ErrConnectionClosed
	}
	if s.consume != nil {
		return nil
	}
	consumer, err := s.js.Consumer(ctx, s.address.Stream, s.address.Consumer)
	if err != nil {
		return err
	}
	consume, err := consumer.Consume(s.arrive,
		jetstream.PullMaxMessagesWithBytesLimit(pullMessages, int(max(heldBytes/4, 2*s.conn.MaxPayload()))),
		jetstream.ConsumeErrHandler(s.pullError))
	if err != nil {
		return fmt.Errorf("pulling from consumer %s: %w", s.address.Consumer, err)
	}
	s.consumer, s.consume = consumer, consume
	s.leases.keep(s.address.AckWait/3, s.renew)
	return nil
}

// arrive takes one message from the server. It blocks while too much is held,
// and so holds back the next request.
func (s *subscription) arrive(m jetstream.Msg) {
	metadata, err := m.Metadata()
	if err != nil {
		slog.Warn("ignoring a message that is not JetStream's", "stream", s.address.Stream, "error", err)
		return
	}
	lease := &lease{reply: m.Reply(), bytes: len(m.Data()), renewed: time.Now()}
	if !s.leases.add(lease) {
		return
	}
	select {
	case s.arrived <- &driver.Message{
		LoggableID: metadata.Stream + ":" + strconv.FormatUint(metadata.Sequence.Stream, 10),
		Body:       m.Data(),
		Metadata:   decodeAttributes(m.Headers()),
		AckID:      lease,
		AsFunc:     assign(metadata),
	}:
	case <-s.leases.stop:
	}
}

// pullError hears what the background pulling met. It goes on by itself unless
// the consumer is gone.
func (s *subscription) pullError(_ jetstream.ConsumeContext, err error) {
	if !isAny(err, jetstream.ErrConsumerDeleted, jetstream.ErrConsumerNotFound, jetstream.ErrBadRequest,
		jetstream.ErrConnectionClosed) {
		slog.Debug("pulling from the broker", "stream", s.address.Stream, "error", err)
		return
	}
	s.end(fmt.Errorf("pulling from consumer %s of stream %s: %w", s.address.Consumer, s.address.Stream, err))
}

// SendAcks implements driver.Subscription.
func (s *subscription) SendAcks(_ context.Context, ids []driver.AckID) error {
	return s.settle(ids, ack)
}

// SendNacks implements driver.Subscription.
func (s *subscription) SendNacks(_ context.Context, ids []driver.AckID) error {
	return s.settle(ids, nak)
}

// CanNack implements driver.Subscription.
func (*subscription) CanNack() bool { return true }

// settle sends one answer for each message and ends its lease.
func (s *subscription) settle(ids []driver.AckID, answer []byte) error {
	for _, id := range ids {
		lease := id.(*lease)
		if err := s.conn.Publish(lease.reply, answer); err != nil {
			return fmt.Errorf("acknowledging: %w", err)
		}
		s.leases.remove(lease)
	}
	return nil
}

// renew tells the server that messages are still being worked on. A failure
// costs at worst a redelivery.
func (s *subscription) renew(due []*lease) {
	for _, lease := range due {
		if err := s.conn.Publish(lease.reply, progress); err != nil {
			slog.Debug("renewing leases", "stream", s.address.Stream, "error", err)
			return
		}
	}
}

// IsRetryable implements driver.Subscription.
func (*subscription) IsRetryable(err error) bool { return isRetryable(err) }

// As implements driver.Subscription.
func (s *subscription) As(target any) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return assign[interface{ StopReceiving() }](s)(target) || s.consumer != nil && assign(s.consumer)(target)
}

// ErrorAs implements driver.Subscription.
func (*subscription) ErrorAs(err error, target any) bool { return errorAs(err, target) }

// ErrorCode implements driver.Subscription.
func (*subscription) ErrorCode(err error) gcerrors.ErrorCode { return errorCode(err) }

// Close implements driver.Subscription: it stops pulling, gives back what was
// received and not acknowledged, and waits until the server has processed the
// acknowledgements. Calling it again does nothing.
func (s *subscription) Close() error {
	s.mu.Lock()
	closed, consume, lastAck := s.closed, s.consume, s.lastAck
	s.closed = true
	s.mu.Unlock()
	if closed {
		return nil
	}
	held := s.leases.close()
	if consume != nil {
		consume.Stop()
		<-consume.Closed()
	}
	if s.present != nil {
		_ = s.present.Unsubscribe() // fails only when the connection is gone, and with it the subscription
	}
	for _, lease := range held {
		if err := s.conn.Publish(lease.reply, nak); err != nil {
			return s.flushError(err)
		}
	}
	return s.flush(lastAck)
}

// flush waits until the server has processed everything sent before. The server
// answers acknowledgements in turn, so one that asks for an answer, the last
// one again, tells about all of them.
func (s *subscription) flush(lastAck string) error {
	if lastAck == "" {
		return nil // only what is given back is on the way, and that may get lost
	}
	_, err := s.conn.Request(lastAck, ack, flushTimeout)
	if errors.Is(err, nats.ErrNoResponders) { // the consumer was deleted
		return nil
	}
	return s.flushError(err)
}

func (s *subscription) flushError(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("flushing acknowledgements to stream %s at %s: %w", s.address.Stream, s.address.Server, err)
}
