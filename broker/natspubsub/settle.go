package natspubsub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"gocloud.dev/pubsub/driver"
)

// flushTimeout bounds what Close waits for the server.
const flushTimeout = 2 * time.Second

// The acknowledgements that JetStream understands.
var (
	ack      = []byte("+ACK")
	nak      = []byte("-NAK")
	progress = []byte("+WPI")
)

// SendAcks implements driver.Subscription.
func (s *subscription) SendAcks(ctx context.Context, ids []driver.AckID) error {
	if err := s.settle(ctx, ids, ack); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastAck = ids[len(ids)-1].(*lease).reply
	return nil
}

// SendNacks implements driver.Subscription.
func (s *subscription) SendNacks(ctx context.Context, ids []driver.AckID) error {
	return s.settle(ctx, ids, nak)
}

// CanNack implements driver.Subscription.
func (*subscription) CanNack() bool { return true }

// settle sends one answer for each message and ends its lease. When the
// connection is closed for good, ReceiveBatch and Close are the ones to say so:
// gocloud leaves a goroutine behind when it hears of it here.
func (s *subscription) settle(ctx context.Context, ids []driver.AckID, answer []byte) error {
	for _, id := range ids {
		lease := id.(*lease)
		err := s.answer(ctx, lease, answer)
		if errors.Is(err, nats.ErrConnectionClosed) {
			s.end(err)
			return nil
		}
		if err != nil {
			return fmt.Errorf("acknowledging: %w", err)
		}
		s.leases.remove(lease)
	}
	return nil
}

// answer sends one answer, and waits for a connection that is away. Gocloud
// would wait too, up to half a minute after the connection is back.
func (s *subscription) answer(ctx context.Context, to *lease, answer []byte) error {
	for attempt := 0; ; attempt++ {
		err := s.conn.Publish(to.reply, answer)
		if err == nil || !isRetryable(err) || sleep(ctx, backOff(attempt)) != nil {
			return err
		}
	}
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
