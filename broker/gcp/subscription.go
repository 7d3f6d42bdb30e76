package gcp

import (
	"context"
	"errors"
	"sync"
	"time"

	raw "cloud.google.com/go/pubsub/v2"
	"gocloud.dev/gcerrors"
	"gocloud.dev/pubsub/driver"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	// heldMessages and heldBytes bound what is received and not acknowledged.
	heldMessages = 4096
	heldBytes    = 64 << 20
	// pollTime is how long ReceiveBatch waits for a first message.
	pollTime = time.Second
	// closeTimeout bounds what Close waits for the service.
	closeTimeout = 10 * time.Second
)

// A subscription is gocloud's driver over the client's streaming pull, which
// renews the leases of what it has delivered. The pull begins with the first
// ReceiveBatch.
type subscription struct {
	subscriber *raw.Subscriber
	arrived    chan *delivery
	start      sync.Once
	cancel     context.CancelFunc
	ctx        context.Context // that of the pull; done when the subscription closes
	done       chan struct{}   // closed when the pull has ended
	err        error           // why it ended; written before done closes

	stop    sync.Once
	stopped chan struct{} // closed by StopReceiving
}

// A delivery is a message that was received, and the driver's AckID.
type delivery struct {
	message *raw.Message
	settle  sync.Once
	settled chan struct{}
}

func newSubscription(subscriber *raw.Subscriber) *subscription {
	subscriber.ReceiveSettings.MaxOutstandingMessages = heldMessages
	subscriber.ReceiveSettings.MaxOutstandingBytes = heldBytes
	ctx, cancel := context.WithCancel(context.Background())
	return &subscription{
		subscriber: subscriber, arrived: make(chan *delivery), done: make(chan struct{}),
		ctx: ctx, cancel: cancel, stopped: make(chan struct{}),
	}
}

// pull receives until the subscription closes. It returns when everything that
// was acknowledged or given back has been sent.
func (s *subscription) pull() {
	defer close(s.done)
	s.err = s.subscriber.Receive(s.ctx, s.hold)
}

// hold keeps a message until it is settled, which is what the client's flow
// control counts, and gives it back when the subscription closes before.
func (s *subscription) hold(ctx context.Context, m *raw.Message) {
	d := &delivery{message: m, settled: make(chan struct{})}
	select {
	case s.arrived <- d:
	case <-ctx.Done():
		m.Nack()
		return
	}
	select {
	case <-d.settled:
	case <-ctx.Done():
		d.answer(m.Nack)
	}
}

// answer acknowledges or gives back; only the first answer counts.
func (d *delivery) answer(send func()) {
	d.settle.Do(func() {
		send()
		close(d.settled)
	})
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

func (d *delivery) asMessage() *driver.Message {
	return &driver.Message{
		LoggableID: d.message.ID, Body: d.message.Data, Metadata: d.message.Attributes, AckID: d,
		AsFunc: func(target any) bool {
			p, ok := target.(**raw.Message)
			if ok {
				*p = d.message
			}
			return ok
		},
	}
}

// SendAcks implements driver.Subscription. The client sends them in the
// background, at the latest in Close.
func (*subscription) SendAcks(_ context.Context, ids []driver.AckID) error {
	for _, id := range ids {
		d := id.(*delivery)
		d.answer(d.message.Ack)
	}
	return nil
}

// SendNacks implements driver.Subscription.
func (*subscription) SendNacks(_ context.Context, ids []driver.AckID) error {
	for _, id := range ids {
		d := id.(*delivery)
		d.answer(d.message.Nack)
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
// acknowledged, and waits until the acknowledgements are sent.
func (s *subscription) Close() error {
	s.cancel()
	s.start.Do(func() { close(s.done) }) // nothing was ever pulled
	timer := time.NewTimer(closeTimeout)
	defer timer.Stop()
	select {
	case <-s.done:
		return nil
	case <-timer.C:
		return errors.New("closing the Pub/Sub subscription: the service did not take the acknowledgements in time")
	}
}
