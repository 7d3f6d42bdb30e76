package natspubsub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"gocloud.dev/pubsub/driver"
)

const (
	// pullMessages is how many messages one request asks the server for.
	pullMessages = 1024
	// batchBytes bounds what one ReceiveBatch returns.
	batchBytes = 4 << 20
	// pollTime is how long ReceiveBatch waits for a first message.
	pollTime = time.Second
	// startPause is how long it waits when the server is away at the start.
	startPause = 200 * time.Millisecond
)

// ReceiveBatch implements driver.Subscription.
func (s *subscription) ReceiveBatch(ctx context.Context, most int) ([]*driver.Message, error) {
	select {
	case <-s.ended:
		return nil, s.failed
	default:
	}
	if err := s.start(ctx); isRetryable(err) {
		return nil, sleep(ctx, startPause) // gocloud calls again
	} else if err != nil {
		return nil, err
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

// start begins to pull, once. Its error is retryable when the server is away.
func (s *subscription) start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nats.ErrConnectionClosed
	}
	if s.consume != nil {
		return nil
	}
	asking, cancel := context.WithTimeoutCause(ctx, setUpTimeout, nats.ErrTimeout)
	defer cancel()
	consumer, err := s.js.Consumer(asking, s.address.Stream, s.address.Consumer)
	if errors.Is(err, context.DeadlineExceeded) {
		return context.Cause(asking)
	}
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
