package natspubsub

import (
	"context"
	"errors"
	"fmt"
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
	// Publishing keeps up to so much on its way to the server unanswered.
	windowMessages = 4096
	windowBytes    = 16 << 20
	// answerTimeout is the patience of a topic.
	answerTimeout = 10 * time.Second
)

// A Topic publishes to a stream. Besides being gocloud's driver it publishes
// many messages in their order, see [Topic.Publish].
type Topic struct {
	conn    *nats.Conn
	js      jetstream.JetStream
	subject string

	// patience is how long the server may take to store a message while the
	// connection stands.
	patience time.Duration

	// sending keeps the messages of one call together.
	sending sync.Mutex
}

// OpenTopic opens the stream of an address for publishing and makes it when it
// is absent. Closing the topic leaves conn open.
func OpenTopic(ctx context.Context, conn *nats.Conn, a Address) (*pubsub.Topic, error) {
	topic, err := newTopic(conn, a.Stream)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, setUpTimeout)
	defer cancel()
	stream, err := openStream(ctx, topic.js, a)
	if err != nil {
		return nil, err
	}
	if err := takesSubject(stream, a); err != nil {
		return nil, err
	}
	// Without a MaxBatchByteSize, with which gocloud 0.47 may never shut down; the
	// window bounds the bytes.
	return pubsub.NewTopic(topic, &batcher.Options{MaxBatchSize: 1000}), nil
}

func newTopic(conn *nats.Conn, subject string) (*Topic, error) {
	js, err := jetstream.New(conn, jetstream.WithPublishAsyncMaxPending(2*windowMessages))
	if err != nil {
		return nil, fmt.Errorf("opening JetStream: %w", err)
	}
	return &Topic{conn: conn, js: js, subject: subject, patience: answerTimeout}, nil
}

// Publish publishes messages in their order and returns when the server has
// stored them all. While the connection is away it waits, until ctx is done,
// and then sends again what was not known to be stored: such a message may be
// stored twice. A server that is there and stores nothing is an error.
func (t *Topic) Publish(ctx context.Context, messages []*driver.Message) error {
	t.sending.Lock()
	defer t.sending.Unlock()
	var silent time.Time // since when the server is there and stores nothing
	for attempt := 0; ; attempt++ {
		stored, err := t.send(ctx, messages)
		if err == nil {
			return nil
		}
		if messages = messages[stored:]; stored > 0 {
			attempt, silent = 0, time.Time{}
		}
		switch {
		case !isSilence(err) && !isRetryable(err):
			return err
		case !isSilence(err):
			silent = time.Time{}
		case silent.IsZero(): // it may be recovering its streams after a start
			silent = time.Now()
		case time.Since(silent) > t.patience/2:
			return err
		}
		if sleep(ctx, backOff(attempt)) != nil {
			return fmt.Errorf("publishing to stream %s: %w; last error: %w", t.subject, ctx.Err(), err)
		}
	}
}

// isSilence says whether err is that of a server without the stream, or one that
// does not answer.
func isSilence(err error) bool {
	return isAny(err, jetstream.ErrNoStreamResponse, jetstream.ErrAsyncPublishTimeout, jetstream.ErrTooManyStalledMsgs)
}

// SendBatch implements driver.Topic.
func (t *Topic) SendBatch(ctx context.Context, messages []*driver.Message) error {
	t.sending.Lock()
	defer t.sending.Unlock()
	_, err := t.send(ctx, messages)
	return err
}

// send publishes messages once, in order, keeping a window of them on the way.
// It returns how many from the first on are known to be stored.
func (t *Topic) send(ctx context.Context, messages []*driver.Message) (stored int, err error) {
	w := window{patience: t.patience, timer: time.NewTimer(t.patience)}
	defer w.timer.Stop()
	for _, m := range messages {
		for w.full() {
			if err := w.await(ctx); err != nil {
				return w.stored, t.explain(err)
			}
		}
		future, err := t.begin(m)
		if err != nil {
			// What is on the way may still be stored; count what is.
			return w.drain(ctx), err
		}
		w.add(m, future)
	}
	for len(w.waiting) > 0 {
		if err := w.await(ctx); err != nil {
			return w.stored, t.explain(err)
		}
	}
	return w.stored, nil
}

// begin puts one message on its way.
func (t *Topic) begin(m *driver.Message) (jetstream.PubAckFuture, error) {
	header, err := encodeAttributes(m.Metadata)
	if err != nil {
		return nil, err
	}
	out := &nats.Msg{Subject: t.subject, Header: header, Data: m.Body}
	if m.BeforeSend != nil {
		if err := m.BeforeSend(assign(out)); err != nil {
			return nil, err
		}
	}
	if size, most := int64(out.Size()-len(out.Subject)), t.conn.MaxPayload(); size > most {
		return nil, fmt.Errorf("message of %d bytes is larger than the server's max_payload %d: %w",
			size, most, nats.ErrMaxPayload)
	}
	return t.js.PublishMsgAsync(out, jetstream.WithRetryAttempts(0))
}

// explain adds what to do to an error of the server.
func (t *Topic) explain(err error) error {
	switch {
	case errorCode(err) == gcerrors.ResourceExhausted:
		return fmt.Errorf("stream %s is full, and drops nothing that may be unread: "+
			"raise its max-bytes or lower its max-age (`nats stream edit`): %w", t.subject, err)
	case errors.Is(err, jetstream.ErrNoStreamResponse):
		return fmt.Errorf("the server has no stream %s, or none that takes messages now: %w", t.subject, err)
	case errors.Is(err, jetstream.ErrAsyncPublishTimeout):
		return fmt.Errorf("stream %s has stored nothing for %v; the server's log says why, perhaps its disk is full, "+
			"and then it needs a restart when there is room: %w", t.subject, t.patience, err)
	}
	return err
}

// A window is what was sent and not answered, oldest first.
type window struct {
	waiting  []sent
	bytes    int
	stored   int
	patience time.Duration // for the oldest
	timer    *time.Timer
}

type sent struct {
	message *driver.Message
	future  jetstream.PubAckFuture
}

func (w *window) full() bool { return len(w.waiting) >= windowMessages || w.bytes >= windowBytes }

func (w *window) add(m *driver.Message, future jetstream.PubAckFuture) {
	w.waiting = append(w.waiting, sent{m, future})
	w.bytes += len(m.Body)
}

// await waits until the oldest message is stored.
func (w *window) await(ctx context.Context) error {
	oldest := w.waiting[0]
	w.timer.Reset(w.patience)
	select {
	case ack := <-oldest.future.Ok():
		w.waiting = w.waiting[1:]
		w.bytes -= len(oldest.message.Body)
		w.stored++
		if oldest.message.AfterSend != nil {
			return oldest.message.AfterSend(assign(ack))
		}
		return nil
	case err := <-oldest.future.Err():
		return err
	case <-w.timer.C:
		return jetstream.ErrAsyncPublishTimeout
	case <-ctx.Done():
		return ctx.Err()
	}
}

// drain waits for what is on the way and returns how many were stored.
func (w *window) drain(ctx context.Context) int {
	for len(w.waiting) > 0 {
		if err := w.await(ctx); err != nil {
			break
		}
	}
	return w.stored
}

// assign makes an As function that gives value.
func assign[T any](value T) func(any) bool {
	return func(target any) bool {
		p, ok := target.(*T)
		if ok {
			*p = value
		}
		return ok
	}
}

// IsRetryable implements driver.Topic.
func (*Topic) IsRetryable(err error) bool { return isRetryable(err) }

// As implements driver.Topic.
func (t *Topic) As(target any) bool { return assign(t)(target) || assign(t.js)(target) }

// ErrorAs implements driver.Topic.
func (*Topic) ErrorAs(err error, target any) bool { return errorAs(err, target) }

// ErrorCode implements driver.Topic.
func (*Topic) ErrorCode(err error) gcerrors.ErrorCode { return errorCode(err) }

// Close implements driver.Topic. Everything sent has been answered by then.
func (t *Topic) Close() error {
	t.js.CleanupPublisher()
	return nil
}
