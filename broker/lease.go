package broker

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"gocloud.dev/pubsub"
)

// A renewal keeps the leases of what a source has delivered and nobody has
// acknowledged, for brokers whose driver does not.
type renewal struct {
	// lease is how long the broker waits for a reader that is silent.
	lease time.Duration
	renew func(context.Context, []*pubsub.Message) error

	mu sync.Mutex
	// held says when each message was delivered that is not settled.
	held map[*pubsub.Message]time.Time
	end  func()
}

// keepLeases renews leases until end is called. A failure costs at worst a
// redelivery.
func keepLeases(lease time.Duration, renew func(context.Context, []*pubsub.Message) error) *renewal {
	r := &renewal{lease: lease, renew: renew, held: make(map[*pubsub.Message]time.Time)}
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	r.end = func() {
		cancel()
		<-over
	}
	go func() {
		defer close(over)
		r.keep(ctx)
	}()
	return r
}

func (r *renewal) keep(ctx context.Context) {
	ticker := time.NewTicker(r.lease / 3)
	defer ticker.Stop()
	for {
		select {
		case now := <-ticker.C:
			if err := r.renew(ctx, r.heldSince(now.Add(-r.lease/6))); err != nil && ctx.Err() == nil {
				slog.Warn("renewing leases, messages may come again", "error", err)
			}
		case <-ctx.Done():
			return
		}
	}
}

func (r *renewal) delivered(m *pubsub.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held[m] = time.Now()
}

func (r *renewal) settled(m *pubsub.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.held, m)
}

// heldSince returns the messages that were delivered before a time and are held.
func (r *renewal) heldSince(before time.Time) []*pubsub.Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	var held []*pubsub.Message
	for m, delivered := range r.held {
		if delivered.Before(before) {
			held = append(held, m)
		}
	}
	return held
}
