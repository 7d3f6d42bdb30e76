package gcp

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	raw "cloud.google.com/go/pubsub/v2"
	"gocloud.dev/pubsub/driver"
	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"
)

const (
	// heldMessages and heldBytes bound what is received and not confirmed to be
	// acknowledged. One message always fits.
	heldMessages = 4096
	heldBytes    = 64 << 20
)

// Holdings are the messages that were received, until the service has confirmed
// their acknowledgements.
type holdings struct {
	name            string // the subscription's, for messages
	messages, bytes *semaphore.Weighted

	mu     sync.Mutex
	held   map[*delivery]struct{} // without answer
	closed bool                   // nothing is taken any more

	confirming sync.WaitGroup
	ctx        context.Context // until abandon
	abandon    context.CancelFunc
	refused    atomic.Int64
	warn       rate.Sometimes
}

// A delivery is a message that was received, and the driver's AckID.
type delivery struct {
	message *raw.Message
	bytes   int64
	settle  sync.Once
}

func newHoldings(name string) *holdings {
	ctx, cancel := context.WithCancel(context.Background())
	return &holdings{
		ctx: ctx, abandon: cancel, warn: rate.Sometimes{First: 1, Interval: time.Second},
		name: name, held: make(map[*delivery]struct{}),
		messages: semaphore.NewWeighted(heldMessages), bytes: semaphore.NewWeighted(heldBytes),
	}
}

// take waits until there is room for a message and holds it; nil when ctx ends
// before or nothing is taken any more.
func (h *holdings) take(ctx context.Context, m *raw.Message) *delivery {
	d := &delivery{message: m, bytes: int64(min(len(m.Data), heldBytes))}
	if h.messages.Acquire(ctx, 1) != nil {
		return nil
	}
	if h.bytes.Acquire(ctx, d.bytes) != nil {
		h.messages.Release(1)
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		h.release(d)
		return nil
	}
	h.held[d] = struct{}{}
	return d
}

func (h *holdings) release(d *delivery) {
	h.messages.Release(1)
	h.bytes.Release(d.bytes)
}

// answer acknowledges or gives back; only the first answer counts. The result of
// most subscriptions is there at once, and that of one with exactly-once delivery
// when the service has answered.
func (h *holdings) answer(d *delivery, send func() *raw.AckResult) {
	d.settle.Do(func() {
		h.mu.Lock()
		delete(h.held, d)
		h.mu.Unlock()
		result := send()
		select {
		case <-result.Ready():
			h.confirm(d, result)
		default:
			h.confirming.Go(func() { h.confirm(d, result) })
		}
	})
}

// confirm waits until the service has taken an answer, or the client, which tries
// again for ten minutes, gives up, or abandon is called.
func (h *holdings) confirm(d *delivery, result *raw.AckResult) {
	defer h.release(d)
	if _, err := result.Get(h.ctx); err != nil {
		refused := h.refused.Add(1)
		h.warn.Do(func() {
			slog.Warn("the service refused an acknowledgement, the message comes again",
				"subscription", h.name, "message", d.message.ID, "refused so far", refused, "error", err)
		})
	}
}

// giveBack gives back all that has no answer, and has take refuse the rest.
func (h *holdings) giveBack() {
	h.mu.Lock()
	h.closed = true
	open := make([]*delivery, 0, len(h.held))
	for d := range h.held {
		open = append(open, d)
	}
	h.mu.Unlock()
	for _, d := range open {
		h.answer(d, d.message.NackWithResult)
	}
}

// confirmed returns a channel that is closed when the service has confirmed all
// answers, of which there are no more.
func (h *holdings) confirmed() <-chan struct{} {
	over := make(chan struct{})
	go func() {
		h.confirming.Wait()
		close(over)
	}()
	return over
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
