// Package backoff tries again what failed for a passing reason, and waits
// longer each time.
//
//	err := backoff.Policy{}.Do(ctx, func(ctx context.Context) error { ... })
//	return &backoff.LaterError{Err: err, After: backoff.RetryAfter(resp.Header, time.Now())}
package backoff

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// What the zero [Policy] means, and the longest wait that a server may ask for.
const (
	defaultTries = 5
	defaultFirst = 500 * time.Millisecond
	defaultMost  = 20 * time.Second
	maxAfter     = 5 * time.Minute
)

// A Policy says how often something is tried and how long to wait in between.
// A field that is zero has its default.
type Policy struct {
	// Tries is how often something may fail in a row: 5 unless set.
	Tries int
	// First is the wait after the first failure, which doubles with each
	// further one up to Most: 0.5 s and 20 s unless set. A wait is drawn from
	// its upper half, so that many clients do not come back at once.
	First, Most time.Duration
}

// A LaterError says that trying again may help.
type LaterError struct {
	Err error
	// After is how long the other side asked to be left alone; a [Policy]
	// waits at least that long, or gives up if it is more than five minutes.
	After time.Duration
	// Progress says that a part of the work was done, so that the failures
	// before do not count.
	Progress bool
}

func (e *LaterError) Error() string { return e.Err.Error() }

// Unwrap returns what went wrong.
func (e *LaterError) Unwrap() error { return e.Err }

// Do calls try until it returns nil or something else than a [LaterError], the
// tries are used up, or ctx ends. The error wraps that of the last try.
func (p Policy) Do(ctx context.Context, try func(context.Context) error) error {
	tries := cmp.Or(p.Tries, defaultTries)
	for failures := 1; ; failures++ {
		err := try(ctx)
		var later *LaterError
		if !errors.As(err, &later) || ctx.Err() != nil {
			return err
		}
		if later.Progress {
			failures = 1
		}
		switch {
		case later.After > maxAfter:
			return fmt.Errorf("%w; the server asks to wait %v", err, later.After.Round(time.Second))
		case failures >= tries:
			return fmt.Errorf("%w (tried %d times)", err, failures)
		}
		if cause := sleep(ctx, max(p.wait(failures), later.After)); cause != nil {
			return fmt.Errorf("%w while waiting to try again: %w", cause, later.Err)
		}
	}
}

// wait returns how long to wait after so many failures.
func (p Policy) wait(failures int) time.Duration {
	first, most := cmp.Or(p.First, defaultFirst), cmp.Or(p.Most, defaultMost)
	wait := most
	if doublings := failures - 1; doublings < 16 {
		wait = min(first<<doublings, most)
	}
	return wait/2 + rand.N(wait/2+1)
}

// sleep returns early with why ctx ended; at once if it would not outlast the
// wait.
func sleep(ctx context.Context, wait time.Duration) error {
	if end, ok := ctx.Deadline(); ok && time.Until(end) < wait {
		return context.DeadlineExceeded
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
