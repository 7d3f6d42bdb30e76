package backoff

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

var errBusy = errors.New("busy")

func TestDoTriesUntilItWorks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		err := Policy{}.Do(t.Context(), func(context.Context) error {
			if calls++; calls < 4 {
				return &LaterError{Err: errBusy}
			}
			return nil
		})
		if err != nil || calls != 4 {
			t.Errorf("%d calls, %v", calls, err)
		}
	})
}

func TestDoGivesUpAfterTheTries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls, start := 0, time.Now()
		err := Policy{Tries: 3, First: time.Second}.Do(t.Context(), func(context.Context) error {
			calls++
			return &LaterError{Err: errBusy}
		})
		if !errors.Is(err, errBusy) || !strings.Contains(err.Error(), "tried 3 times") || calls != 3 {
			t.Errorf("%d calls, %v", calls, err)
		}
		// Between half and all of one and of two seconds.
		if took := time.Since(start); took < 1500*time.Millisecond || took > 3*time.Second {
			t.Errorf("waited %v", took)
		}
	})
}

func TestDoStopsAtAnErrorThatWillNotPass(t *testing.T) {
	calls := 0
	err := Policy{}.Do(t.Context(), func(context.Context) error { calls++; return errBusy })
	if !errors.Is(err, errBusy) || calls != 1 {
		t.Errorf("%d calls, %v", calls, err)
	}
}

func TestProgressBeginsTheCountAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		err := Policy{Tries: 3}.Do(t.Context(), func(context.Context) error {
			calls++
			return &LaterError{Err: errBusy, Progress: calls <= 10}
		})
		if !errors.Is(err, errBusy) || calls != 12 {
			t.Errorf("%d calls, %v", calls, err)
		}
	})
}

func TestDoWaitsAsLongAsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls, start := 0, time.Now()
		err := Policy{}.Do(t.Context(), func(context.Context) error {
			if calls++; calls == 1 {
				return &LaterError{Err: errBusy, After: 90 * time.Second}
			}
			return nil
		})
		if err != nil || time.Since(start) != 90*time.Second {
			t.Errorf("waited %v, %v", time.Since(start), err)
		}
	})
}

func TestDoDoesNotWaitForHours(t *testing.T) {
	err := Policy{}.Do(t.Context(), func(context.Context) error {
		return &LaterError{Err: errBusy, After: time.Hour}
	})
	if !errors.Is(err, errBusy) || !strings.Contains(err.Error(), "1h0m0s") {
		t.Error(err)
	}
}

func TestDoEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		err := Policy{First: time.Minute, Most: time.Minute}.Do(ctx, func(context.Context) error { return &LaterError{Err: errBusy} })
		if !errors.Is(err, context.Canceled) || !errors.Is(err, errBusy) {
			t.Error(err)
		}
	})
}

func TestDoDoesNotSleepPastTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := Policy{First: time.Minute, Most: time.Minute}.Do(ctx, func(context.Context) error { return &LaterError{Err: errBusy} })
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 0 {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}

func TestWaitsAreBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Policy{First: time.Duration(rapid.Int64Range(1, 1e13).Draw(t, "first")), Most: time.Duration(rapid.Int64Range(1, 1e11).Draw(t, "most"))}
		failures := rapid.IntRange(1, 1000).Draw(t, "failures")
		if wait := p.wait(failures); wait < 0 || wait > p.Most || failures > 16 && wait < p.Most/2 {
			t.Fatalf("%v after %d failures", wait, failures)
		}
	})
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, " 120 ": 2 * time.Minute, "-1": 0, "1.5": 0, "soon": 0,
		"Fri, 02 Jan 2026 03:04:35 GMT": 30 * time.Second,
		"Fri, 02 Jan 2026 03:04:00 GMT": 0,
		"99999999999999999999":          0,
	} {
		h := http.Header{}
		h.Set("Retry-After", value)
		if got := RetryAfter(h, now); got != want {
			t.Errorf("%q: got %v, want %v", value, got, want)
		}
	}
}

func TestPassing(t *testing.T) {
	for status, want := range map[int]bool{200: false, 301: false, 400: false, 401: false, 404: false, 408: true, 422: false, 429: true, 500: true, 501: false, 503: true, 504: true} {
		if got := Passing(status); got != want {
			t.Errorf("%d: %v", status, got)
		}
	}
}
