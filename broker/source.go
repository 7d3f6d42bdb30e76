package broker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"gocloud.dev/pubsub"
)

// SourceOptions says how a source is opened.
type SourceOptions struct {
	// Consumer names the reader that the broker remembers the position of,
	// where the URL does not; empty for the broker's default. It is a consumer of
	// NATS or a consumer group of Kafka; the others have no such names.
	Consumer string
}

// A Source delivers messages. Its methods may be called from many goroutines.
type Source struct {
	subscription *pubsub.Subscription
	// origin reads what only the driver knows about a message.
	origin func(*pubsub.Message) origin
	// backlog is [Source.Backlog]; nil where the broker cannot tell.
	backlog func(context.Context) (int64, error)
	// renewal keeps leases; nil where the driver does.
	renewal *renewal
	// close ends the subscription, then its connection.
	close func(context.Context) error

	endLeases func() // ends the renewal

	mu sync.Mutex
	// held are the messages received and neither acknowledged nor given back;
	// nil once the source is closed.
	held map[*Message]struct{}
}

// An origin is what only the driver knows about a message; see [Message].
type origin struct {
	id      string
	time    time.Time
	attempt int
}

// OpenSource opens a source by URL. A broker that cannot be reached is an error
// within a few seconds; one that is lost later is waited for, see Receive.
func OpenSource(ctx context.Context, url string, options SourceOptions) (*Source, error) {
	scheme, err := find(url)
	if err != nil {
		return nil, err
	}
	source, err := scheme.openSource(ctx, url, options)
	if err != nil {
		return nil, err
	}
	source.held = make(map[*Message]struct{})
	if source.endLeases = func() {}; source.renewal != nil {
		source.keepLeases(*source.renewal)
	}
	return source, nil
}

// Receive returns the next message, and waits for one until ctx is done; no
// message is lost by that. When the broker goes away it waits until the broker
// is back. Any other error is final. A NATS source that is its consumer's only
// reader returns messages in the order of the stream, called from one goroutine;
// a Kafka source those of each partition in their order.
func (s *Source) Receive(ctx context.Context) (*Message, error) {
	if s.closed() {
		return nil, errClosed
	}
	inner, err := s.subscription.Receive(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("receiving: %w", err)
	}
	m := &Message{Body: inner.Body, Attributes: inner.Metadata, inner: inner, source: s, delivered: time.Now()}
	from := s.origin(inner)
	m.ID, m.Time, m.Attempt = from.id, from.time, from.attempt
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held != nil {
		s.held[m] = struct{}{}
	}
	return m, nil
}

var (
	errClosed   = errors.New("the source is closed")
	errNoSource = errors.New("an SNS topic has no messages to receive: subscribe an SQS queue to it and receive from that, awssqs://")
)

func (s *Source) closed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held == nil
}

func (s *Source) settled(m *Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.held, m)
}

// Backlog returns how many messages the broker holds for this source: those not
// yet delivered, and those delivered and not yet acknowledged. known is false
// where the broker cannot tell.
func (s *Source) Backlog(ctx context.Context) (n int64, known bool, err error) {
	if s.backlog == nil {
		return 0, false, nil
	}
	n, err = s.backlog(ctx)
	if err != nil {
		return 0, false, fmt.Errorf("reading the backlog: %w", err)
	}
	return n, true, nil
}

// Close gives back the messages that are neither acknowledged nor given back,
// sends all acknowledgements, and frees the source. Receive fails from then on.
func (s *Source) Close(ctx context.Context) error {
	s.mu.Lock()
	held := s.held
	s.held = nil
	s.mu.Unlock()
	if held == nil {
		return errClosed
	}
	s.endLeases()
	for _, m := range s.drain(ctx) {
		m.Nack()
	}
	for m := range held {
		m.Nack()
	}
	return s.close(ctx)
}

// drain returns what gocloud has fetched ahead, after which it fetches no more.
// Nothing may be given back before: if that failed, gocloud would not let go of
// the rest, nor of the goroutine that waits to hand it over.
func (s *Source) drain(ctx context.Context) []*pubsub.Message {
	var driver interface{ StopReceiving() }
	if !s.subscription.As(&driver) {
		return nil
	}
	driver.StopReceiving()
	var ahead []*pubsub.Message
	for {
		m, err := s.subscription.Receive(ctx)
		if err != nil {
			return ahead
		}
		ahead = append(ahead, m)
	}
}
