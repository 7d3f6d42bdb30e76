package pipeline

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"starling/broker"
)

const (
	// sendAtATime bounds what is sent before the cursor moves on.
	sendAtATime = 256
	// sendFirstWait and sendLongestWait bound the pause after a failure.
	sendFirstWait   = 100 * time.Millisecond
	sendLongestWait = 10 * time.Second
	// sendLastTries is how often a failure is tried again once the run is over.
	sendLastTries = 3
)

// An outbox sends what the state file holds to a topic. A cursor in the file says
// up to where that was done, so that all is sent in order, at least once, and never
// before it is durable. When the topic fails the cursor stays, clustering goes on,
// and what is left over when the run ends is sent by the next one. A topic that
// refuses something gets nothing after it either, for the order's sake.
type outbox struct {
	what string // is sent, for people
	// some sends what comes next, up to sendAtATime, and moves the cursor past it.
	// It returns how much that was.
	some func(ctx context.Context) (int, error)
	// committed wakes the outbox; it holds at most one call, and is closed when no
	// more commits come.
	committed chan struct{}
	log       *slog.Logger
}

func newOutbox(what string, some func(context.Context) (int, error), log *slog.Logger) *outbox {
	return &outbox{what: what, some: some, committed: make(chan struct{}, 1), log: log}
}

// wake tells of a commit.
func (o *outbox) wake() {
	select {
	case o.committed <- struct{}{}:
	default: // it has been woken and not looked yet
	}
}

// run sends what is due until no more commits come and all is sent, or will not be.
func (o *outbox) run(ctx context.Context) error {
	wait, tries := sendFirstWait, 0
	for over := false; ; {
		sent, err := o.some(ctx)
		switch {
		case errors.Is(err, broker.ErrRefused):
			o.log.Error("publishing "+o.what+" has ended: the topic will not take them; the next run tries again from there", "error", err)
			for range o.committed {
			}
			return nil
		case err != nil && over && tries == sendLastTries:
			o.log.Warn(o.what+" are left for the next run", "error", err)
			return nil
		case err != nil:
			o.log.Warn("publishing "+o.what+"; will try again", "error", err, "in", wait)
			wasOver := over
			if over, err = o.pause(ctx, wait, over); err != nil {
				return err
			}
			wait, tries = min(2*wait, sendLongestWait), tries+1
			if over && !wasOver {
				wait, tries = sendFirstWait, 0 // the last tries are counted from here
			}
		case sent == sendAtATime:
			wait, tries = sendFirstWait, 0
		case over:
			return nil
		default:
			wait, tries = sendFirstWait, 0
			if _, open := <-o.committed; !open {
				over = true
			}
		}
	}
}

// pause waits, and returns whether the run is over: no more commits come.
func (o *outbox) pause(ctx context.Context, wait time.Duration, over bool) (bool, error) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return over, context.Cause(ctx)
	}
	select {
	case _, open := <-o.committed:
		return over || !open, nil
	default:
		return over, nil
	}
}
