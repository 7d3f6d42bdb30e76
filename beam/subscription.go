package beam

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
)

// A delivery is a message, and the name by which the broker knows that it was
// delivered.
type delivery struct {
	message *pubsubpb.PubsubMessage
	ack     string
}

// A messageBroker is the protocol of one kind of broker. Whoever has the name of a
// delivery may settle it, in any process.
type messageBroker interface {
	// pull waits for messages, a second or so, and returns those that are there.
	pull(ctx context.Context, most int) ([]delivery, error)
	// acknowledge says that messages are done.
	acknowledge(ctx context.Context, acks []string) error
	// extend asks the broker to wait that long for acknowledgements.
	extend(ctx context.Context, acks []string, wait time.Duration)
	// release asks the broker to deliver messages again, now.
	release(ctx context.Context, acks []string)
	close()
}

// A subscription pulls messages of a broker for the readers of this process. It pulls
// in the background, so that no pull is cut short, and the messages lost with it,
// when a bundle ends. When no reader asks any more, because the runner moved it to
// another worker, the pulling ends and what was pulled is given back.
type subscription struct {
	address string
	broker  messageBroker
	arrived chan []delivery
	failed  chan error

	mu sync.Mutex
	// lastTaken is when a message was last handed out, lastAsked when a reader last
	// asked for one.
	lastTaken, lastAsked time.Time
}

const (
	// pullMessages is the most messages of one pull, and what is held for readers.
	pullMessages = 1000
	// unusedTime is after what time without readers a subscription ends.
	unusedTime = 20 * time.Second
	// restTime is after what time without readers the next one is that of another
	// pipeline.
	restTime = 2 * time.Second
	// openTimeout bounds the opening of a subscription.
	openTimeout = 10 * time.Second
)

// subscriptions are those of this process, by address.
var subscriptions = struct {
	sync.Mutex
	open map[string]*subscription
}{open: make(map[string]*subscription)}

// subscribe returns the subscription of an address, nats://HOST:PORT/STREAM or
// projects/P/subscriptions/S.
func subscribe(address string) (*subscription, error) {
	subscriptions.Lock()
	defer subscriptions.Unlock()
	if s, ok := subscriptions.open[address]; ok {
		return s, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), openTimeout)
	defer cancel()
	broker, err := openBroker(ctx, address)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	s := &subscription{
		address: address, broker: broker, lastTaken: now, lastAsked: now,
		arrived: make(chan []delivery), failed: make(chan error, 1),
	}
	subscriptions.open[address] = s
	go s.pull()
	return s, nil
}

func openBroker(ctx context.Context, address string) (messageBroker, error) {
	if strings.HasPrefix(address, "nats://") || strings.HasPrefix(address, "tls://") {
		return openJetStream(ctx, address)
	}
	return openPubSub(ctx, address)
}

// pull pulls until nobody asks.
func (s *subscription) pull() {
	defer s.broker.close()
	for wait := time.Duration(0); ; {
		messages, err := s.broker.pull(context.Background(), pullMessages)
		if err != nil {
			wait = min(max(2*wait, 100*time.Millisecond), 5*time.Second)
			slog.Warn("pulling; will try again", "from", s.address, "in", wait, "error", err)
			time.Sleep(wait)
		} else {
			wait = 0
		}
		if !s.handOut(messages) {
			return
		}
	}
}

// handOut waits for a reader to take messages, and says whether there are readers.
func (s *subscription) handOut(messages []delivery) bool {
	for {
		if len(messages) == 0 {
			return !s.endIfUnused()
		}
		select {
		case s.arrived <- messages:
			return true
		case <-time.After(unusedTime / 4):
			if s.endIfUnused() {
				s.broker.release(context.Background(), acksOf(messages))
				return false
			}
		}
	}
}

// endIfUnused forgets the subscription if no reader asks any more.
func (s *subscription) endIfUnused() bool {
	subscriptions.Lock()
	defer subscriptions.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.lastAsked) < unusedTime {
		return false
	}
	delete(subscriptions.open, s.address)
	return true
}

// take returns messages, none when none came in time.
func (s *subscription) take(ctx context.Context, wait, lease time.Duration) ([]delivery, error) {
	s.ask()
	timer := time.NewTimer(max(0, wait))
	defer timer.Stop()
	select {
	case messages := <-s.arrived:
		s.broker.extend(ctx, acksOf(messages), lease)
		s.mu.Lock()
		s.lastTaken = time.Now()
		s.mu.Unlock()
		return messages, nil
	case <-timer.C:
		return nil, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("reading %s: %w", s.address, ctx.Err())
	}
}

// ask notes that a reader asks. The first of a pipeline does not find the source idle
// because nobody had asked before.
func (s *subscription) ask() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if now.Sub(s.lastAsked) > restTime {
		s.lastTaken = now
	}
	s.lastAsked = now
}

// idle is how long no message was handed out.
func (s *subscription) idle() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Since(s.lastTaken)
}
