package broker

import (
	"context"
	"errors"
	"sync"

	"starling/broker/feed"
)

// With has the messages of another feed come from the source as well, for as long
// as its own messages do. It is called before the first Receive; the source closes
// the feed.
func (s *Source) With(other feed.Feed) {
	ctx, cancel := context.WithCancel(context.Background())
	s.feed = &merged{
		main: s.feed, other: other, messages: make(chan *feed.Message), ended: make(chan struct{}),
		reading: ctx, stop: cancel,
	}
}

// A merged feed hands out what two feeds have, of each in its order.
type merged struct {
	main, other feed.Feed

	begin    sync.Once
	messages chan *feed.Message
	ended    chan struct{} // closed when main is at its end
	err      error         // why; set before that

	reading context.Context // of the two, by goroutines
	stop    context.CancelFunc
	busy    sync.WaitGroup
	mu      sync.Mutex
	// held were received and not handed out when the reading stopped.
	held []*feed.Message
}

// Receive implements [feed.Feed].
func (m *merged) Receive(ctx context.Context) (*feed.Message, error) {
	m.begin.Do(func() {
		m.busy.Go(func() {
			err := m.read(m.main)
			if m.reading.Err() == nil {
				m.err = err
				close(m.ended)
			}
		})
		m.busy.Go(func() { _ = m.read(m.other) }) // main goes on without it
	})
	select {
	case message := <-m.messages:
		return message, nil
	case <-m.ended:
		return nil, m.err
	case <-m.reading.Done():
		return nil, errClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// read hands out the messages of a feed until it ends.
func (m *merged) read(f feed.Feed) error {
	for {
		message, err := f.Receive(m.reading)
		if err != nil {
			return err
		}
		select {
		case m.messages <- message:
		case <-m.reading.Done():
			m.mu.Lock()
			m.held = append(m.held, message)
			m.mu.Unlock()
			return errClosed
		}
	}
}

// Backlog implements [feed.Feed], for main: who posts documents waits for them.
func (m *merged) Backlog(ctx context.Context) (int64, bool, error) { return m.main.Backlog(ctx) }

// Stop implements [feed.Feed].
func (m *merged) Stop(ctx context.Context) {
	m.begin.Do(func() {}) // nothing is read any more
	m.stop()
	m.busy.Wait()
	m.main.Stop(ctx)
	m.other.Stop(ctx)
	for _, message := range m.held { // only now: see gocloudFeed.Stop
		message.Settle(nil)
	}
}

// Close implements [feed.Feed].
func (m *merged) Close(ctx context.Context) error {
	return errors.Join(m.main.Close(ctx), m.other.Close(ctx))
}
