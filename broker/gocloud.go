package broker

import (
	"context"
	"time"

	"gocloud.dev/pubsub"

	"starling/broker/feed"
)

// A gocloudFeed is the feed of a gocloud subscription.
type gocloudFeed struct {
	subscription *pubsub.Subscription
	// origin reads what only the driver knows about a message.
	origin func(*pubsub.Message) origin
	// backlog is [Source.Backlog]; nil where the broker cannot tell.
	backlog func(context.Context) (int64, error)
	// leases keeps the leases of messages; nil where the driver does.
	leases *renewal
	// close ends the subscription, then its connection.
	close func(context.Context) error
}

// An origin is what only the driver knows about a message; see [Message].
type origin struct {
	id      string
	time    time.Time
	attempt int
}

// Receive implements [feed.Feed].
func (s gocloudFeed) Receive(ctx context.Context) (*feed.Message, error) {
	inner, err := s.subscription.Receive(ctx)
	if err != nil {
		return nil, err
	}
	if s.leases != nil {
		s.leases.delivered(inner)
	}
	from := s.origin(inner)
	return &feed.Message{
		ID: from.id, Body: inner.Body, Attributes: inner.Metadata, Time: from.time, Attempt: from.attempt,
		Settle: func(o *feed.Outcome) {
			if s.leases != nil {
				s.leases.settled(inner)
			}
			if o != nil {
				inner.Ack()
			} else if inner.Nackable() {
				inner.Nack()
			}
		},
	}, nil
}

// Backlog implements [feed.Feed].
func (s gocloudFeed) Backlog(ctx context.Context) (n int64, known bool, err error) {
	if s.backlog == nil {
		return 0, false, nil
	}
	n, err = s.backlog(ctx)
	return n, err == nil, err
}

// Stop implements [feed.Feed]: it gives back what gocloud has fetched ahead, after
// which it fetches no more. Nothing may be given back before: if that failed,
// gocloud would not let go of the rest, nor of the goroutine that waits to hand
// it over.
func (s gocloudFeed) Stop(ctx context.Context) {
	if s.leases != nil {
		s.leases.end()
	}
	var driver interface{ StopReceiving() }
	if !s.subscription.As(&driver) {
		return
	}
	driver.StopReceiving()
	var ahead []*pubsub.Message
	for {
		m, err := s.subscription.Receive(ctx)
		if err != nil {
			break
		}
		ahead = append(ahead, m)
	}
	for _, m := range ahead {
		if m.Nackable() {
			m.Nack()
		}
	}
}

// Close implements [feed.Feed].
func (s gocloudFeed) Close(ctx context.Context) error { return s.close(ctx) }
