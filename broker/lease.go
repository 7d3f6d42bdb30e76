package broker

import (
	"context"
	"log/slog"
	"time"

	"gocloud.dev/pubsub"
)

// A renewal keeps the leases of what a source has delivered and nobody has
// acknowledged, for brokers whose driver does not.
type renewal struct {
	// lease is how long the broker waits for a reader that is silent.
	lease time.Duration
	renew func(context.Context, []*pubsub.Message) error
}

// keepLeases renews leases until the source is closed. A failure costs at worst a
// redelivery.
func (s *Source) keepLeases(r renewal) {
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	s.endLeases = func() {
		cancel()
		<-over
	}
	go func() {
		defer close(over)
		ticker := time.NewTicker(r.lease / 3)
		defer ticker.Stop()
		for {
			select {
			case now := <-ticker.C:
				if err := r.renew(ctx, s.heldSince(now.Add(-r.lease/6))); err != nil && ctx.Err() == nil {
					slog.Warn("renewing leases, messages may come again", "error", err)
				}
			case <-ctx.Done():
				return
			}
		}
	}()
}

// heldSince returns the messages that were delivered before a time and are held.
func (s *Source) heldSince(before time.Time) []*pubsub.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	var held []*pubsub.Message
	for m := range s.held {
		if m.delivered.Before(before) {
			held = append(held, m.inner)
		}
	}
	return held
}
