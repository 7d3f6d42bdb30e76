package broker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"starling/broker/feed"
)

// A numbered feed hands out n messages, what is given back again, and ends.
type numbered struct {
	name  string
	n     int
	waits bool // at its end, rather than to end

	mu       sync.Mutex
	next     int
	back     []string
	settled  map[string]int
	stopped  bool
	closings int
}

func (f *numbered) Receive(ctx context.Context) (*feed.Message, error) {
	f.mu.Lock()
	id := ""
	switch {
	case len(f.back) > 0:
		id, f.back = f.back[0], f.back[1:]
	case f.next < f.n:
		f.next++
		id = fmt.Sprint(f.name, f.next)
	}
	f.mu.Unlock()
	if id == "" && f.waits {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if id == "" {
		return nil, io.EOF
	}
	return &feed.Message{ID: id, Body: []byte(id), Settle: func(o *feed.Outcome) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if o == nil {
			if !f.stopped {
				panic("given back before the feed was stopped")
			}
			f.back = append(f.back, id)
			return
		}
		f.settled[id]++
	}}, nil
}

func (f *numbered) Backlog(context.Context) (int64, bool, error) {
	return int64(f.n - f.next), true, nil
}

func (f *numbered) Stop(context.Context) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stopped = true
}

func (f *numbered) Close(context.Context) error {
	f.closings++
	return errors.New("closing " + f.name)
}

func TestASourceWithAnotherFeed(t *testing.T) {
	leaveNothing(t)
	main := &numbered{name: "main", n: 100, waits: true, settled: map[string]int{}}
	other := &numbered{name: "other", n: 50, settled: map[string]int{}}
	source := NewSource(main)
	source.With(other)
	if n, known, err := source.Backlog(t.Context()); n != 100 || !known || err != nil {
		t.Errorf("the backlog is %d, %v, %v", n, known, err)
	}
	last := 0
	for range 150 {
		m, err := source.Receive(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var n int
		if _, err := fmt.Sscanf(m.ID, "main%d", &n); err == nil && n != last+1 {
			t.Fatalf("%s came after %d", m.ID, last)
		} else if err == nil {
			last = n
		}
		m.Ack()
	}
	// The end of the other feed is none of the source's.
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if m, err := source.Receive(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, %v", m, err)
	}
	err := source.Close(t.Context())
	if err == nil || err.Error() != "closing main\nclosing other" || main.closings+other.closings != 2 {
		t.Errorf("closing says %v", err)
	}
	if len(main.settled) != 100 || len(other.settled) != 50 {
		t.Errorf("%d and %d messages were settled", len(main.settled), len(other.settled))
	}
}

func TestClosingGivesBackWhatNobodyReceived(t *testing.T) {
	leaveNothing(t)
	main := &numbered{name: "main", n: 5, waits: true, settled: map[string]int{}}
	other := &numbered{name: "other", n: 5, waits: true, settled: map[string]int{}}
	source := NewSource(main)
	source.With(other)
	for range 4 {
		if _, err := source.Receive(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(20 * time.Millisecond) // each feed's next one is in hand
	_ = source.Close(t.Context())
	if got := len(main.back) + len(other.back) + (5 - main.next) + (5 - other.next); got != 10 {
		t.Errorf("%d of 10 messages are left, given back %q and %q", got, main.back, other.back)
	}
	if _, err := source.Receive(t.Context()); err == nil {
		t.Error("a closed source received something")
	}
}

func TestASourceEndsWithItsMainFeed(t *testing.T) {
	leaveNothing(t)
	main := &numbered{name: "main", settled: map[string]int{}}
	source := NewSource(main)
	source.With(&numbered{name: "other", waits: true, settled: map[string]int{}})
	if _, err := source.Receive(t.Context()); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want io.EOF", err)
	}
	_ = source.Close(t.Context())
	unread := NewSource(&numbered{name: "main"})
	unread.With(&numbered{name: "other"})
	_ = unread.Close(t.Context())
}
