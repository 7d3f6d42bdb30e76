package gcp

import (
	"context"
	"errors"
	"sync"
	"time"

	raw "cloud.google.com/go/pubsub/v2"
	"gocloud.dev/gcerrors"
	"gocloud.dev/pubsub"
	"gocloud.dev/pubsub/batcher"
	"gocloud.dev/pubsub/driver"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	// pollTime is how long ReceiveBatch waits for a first message.
	pollTime = time.Second
	// closeTimeout bounds what Close waits for the service.
	closeTimeout = 10 * time.Second
	// leaseTime is for how long the client renews the lease of a message: its
	// reader holds a message until it is durable, however long that takes.
	leaseTime = 30 * 24 * time.Hour
)

// A subscription is gocloud's driver over the client's streaming pull, which
// renews the leases of what it has delivered. The pull begins with the first
// ReceiveBatch.
type subscription struct {
	subscriber *raw.Subscriber
	held       *holdings
	arrived    chan *delivery
	start      sync.Once
	cancel     context.CancelFunc
	ctx        context.Context // that of the pull; done when the subscription closes
	done       chan struct{}   // closed when the pull has ended
	err        error           // why it ended; written before done closes

	stop     sync.Once
	stopped  chan struct{} // closed by StopReceiving
	patience time.Duration // of Close
	closed   func() error  // closes the client
}

// OpenSubscription opens the existing subscription of an address. Shutting it
// down waits, for some seconds at most, until the service has confirmed the
// acknowledgements.
func OpenSubscription(ctx context.Context, a Address) (*pubsub.Subscription, error) {
	client, err := a.connect(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := lookUpSubscription(ctx, client, a.Subscription); err != nil && !refused(err) {
		return nil, errors.Join(err, client.Close())
	}
	s := newSubscription(client.Subscriber(a.Subscription))
	s.closed = client.Close
	return pubsub.NewSubscription(s, receiveOptions, ackOptions), nil
}

var (
	// One ReceiveBatch at a time keeps the order of an ordering key.
	receiveOptions = &batcher.Options{MaxHandlers: 1}
	ackOptions     = &batcher.Options{MaxHandlers: 1}
)

func newSubscription(subscriber *raw.Subscriber) *subscription {
	settings := &subscriber.ReceiveSettings
	settings.MaxOutstandingMessages, settings.MaxOutstandingBytes = heldMessages, heldBytes
	settings.MaxExtension = leaseTime
	ctx, cancel := context.WithCancel(context.Background())
	return &subscription{
		subscriber: subscriber, held: newHoldings(subscriber.String()), arrived: make(chan *delivery),
		done: make(chan struct{}), ctx: ctx, cancel: cancel, stopped: make(chan struct{}),
		patience: closeTimeout, closed: func() error { return nil },
	}
}

// pull receives until the subscription closes. It returns when everything that
// was acknowledged or given back has been sent.
func (s *subscription) pull() {
	defer close(s.done)
	s.err = s.subscriber.Receive(s.ctx, s.arrive)
}

// arrive hands a message over, as soon as there is room for it. The client calls
// it for the messages of one ordering key one after the other.
func (s *subscription) arrive(ctx context.Context, m *raw.Message) {
	d := s.held.take(ctx, m)
	if d == nil {
		m.Nack()
		return
	}
	select {
	case s.arrived <- d:
	case <-ctx.Done():
		s.held.answer(d, m.NackWithResult)
	}
}

// ReceiveBatch implements driver.Subscription.
func (s *subscription) ReceiveBatch(ctx context.Context, most int) ([]*driver.Message, error) {
	select {
	case <-s.stopped:
		return nil, errStopped
	default:
	}
	s.start.Do(func() { go s.pull() })
	timer := time.NewTimer(pollTime)
	defer timer.Stop()
	select {
	case d := <-s.arrived:
		return s.gather(d, most), nil
	case <-timer.C:
		return nil, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-s.stopped:
		return nil, errStopped
	case <-s.done:
		if s.err == nil {
			return nil, errStopped
		}
		return nil, s.err
	}
}

// StopReceiving makes ReceiveBatch fail from now on, while messages can still be
// acknowledged. A gocloud subscription keeps a goroutine for ever when it is
// shut down between two calls of Receive; who stops it first, and then receives
// until there is an error, leaves none behind.
func (s *subscription) StopReceiving() { s.stop.Do(func() { close(s.stopped) }) }

var errStopped = errors.New("the subscription is stopped")

// gather returns first and what else waits to be received.
func (s *subscription) gather(first *delivery, most int) []*driver.Message {
	batch := []*driver.Message{first.asMessage()}
	for len(batch) < most {
		select {
		case d := <-s.arrived:
			batch = append(batch, d.asMessage())
		default:
			return batch
		}
	}
	return batch
}

// SendAcks implements driver.Subscription. The client sends them in the
// background, at the latest in Close.
func (s *subscription) SendAcks(_ context.Context, ids []driver.AckID) error {
	for _, id := range ids {
		d := id.(*delivery)
		s.held.answer(d, d.message.AckWithResult)
	}
	return nil
}

// SendNacks implements driver.Subscription.
func (s *subscription) SendNacks(_ context.Context, ids []driver.AckID) error {
	for _, id := range ids {
		d := id.(*delivery)
		s.held.answer(d, d.message.NackWithResult)
	}
	return nil
}

// CanNack implements driver.Subscription.
func (*subscription) CanNack() bool { return true }

// IsRetryable implements driver.Subscription. The client retries by itself.
func (*subscription) IsRetryable(error) bool { return false }

// As implements driver.Subscription.
func (s *subscription) As(target any) bool {
	switch p := target.(type) {
	case **raw.Subscriber:
		*p = s.subscriber
	case *interface{ StopReceiving() }:
		*p = s
	default:
		return false
	}
	return true
}

// ErrorAs implements driver.Subscription.
func (*subscription) ErrorAs(err error, target any) bool { return errors.As(err, target) }

// ErrorCode implements driver.Subscription.
func (*subscription) ErrorCode(err error) gcerrors.ErrorCode {
	switch status.Code(err) {
	case codes.NotFound:
		return gcerrors.NotFound
	case codes.PermissionDenied, codes.Unauthenticated:
		return gcerrors.PermissionDenied
	case codes.InvalidArgument:
		return gcerrors.InvalidArgument
	case codes.FailedPrecondition:
		return gcerrors.FailedPrecondition
	case codes.ResourceExhausted:
		return gcerrors.ResourceExhausted
	case codes.DeadlineExceeded:
		return gcerrors.DeadlineExceeded
	}
	if errors.Is(err, errStopped) {
		return gcerrors.FailedPrecondition
	}
	return gcerrors.Unknown
}

// Close implements driver.Subscription: it gives back what was received and not
// acknowledged, and waits until the service has confirmed the acknowledgements.
func (s *subscription) Close() error {
	s.cancel()
	s.start.Do(func() { close(s.done) }) // nothing was ever pulled
	s.held.giveBack()
	ctx, cancel := context.WithTimeout(context.Background(), s.patience)
	defer cancel()
	err := s.confirm(ctx)
	s.held.abandon()
	return errors.Join(err, s.closed())
}

// confirm waits until the service has confirmed all that was sent. When the pull
// has failed for good, nothing is sent any more.
func (s *subscription) confirm(ctx context.Context) error {
	select {
	case <-s.done:
	case <-ctx.Done():
		return errUnconfirmed
	}
	if s.err != nil {
		return nil // ReceiveBatch has said so
	}
	select {
	case <-s.held.confirmed():
		return nil
	case <-ctx.Done():
		return errUnconfirmed
	}
}

var errUnconfirmed = errors.New("closing the Pub/Sub subscription: " +
	"the service did not confirm the acknowledgements in time; what it has not taken comes again")
