package natspubsub

import (
	"context"
	"fmt"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"gocloud.dev/gcerrors"
	"gocloud.dev/pubsub"
	"gocloud.dev/pubsub/batcher"
	"gocloud.dev/pubsub/driver"
)

// heldBytes bounds what a subscription has received and is not acknowledged:
// beyond it, the next message waits until something is. One message always fits.
const heldBytes = 64 << 20

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
