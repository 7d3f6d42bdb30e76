package natspubsub

import (
	"sync"
	"time"
)

// A lease is the right to work on one delivered message. The server takes it
// back when it hears nothing for the ack wait. It is the driver's AckID.
type lease struct {
	// reply is the subject that takes the message's acknowledgement.
	reply string
	bytes int
	// renewed is when the server last heard of the message.
	renewed time.Time
}

// leases are the messages received and not acknowledged.
type leases struct {
	most int // bytes

	mu     sync.Mutex
	room   *sync.Cond // signalled when bytes sinks and when closed is set
	held   map[*lease]struct{}
	bytes  int // the sum over held
	closed bool

	stop    chan struct{} // closed by close
	stopped sync.WaitGroup
}

func newLeases(most int) *leases {
	l := &leases{most: most, held: make(map[*lease]struct{}), stop: make(chan struct{})}
	l.room = sync.NewCond(&l.mu)
	return l
}

// add waits until there is room for a message and takes it in; false when the
// leases are closed.
func (l *leases) add(one *lease) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for !l.closed && l.bytes > 0 && l.bytes+one.bytes > l.most {
		l.room.Wait()
	}
	if l.closed {
		return false
	}
	l.held[one] = struct{}{}
	l.bytes += one.bytes
	return true
}

// remove ends a lease; nothing when it has ended.
func (l *leases) remove(one *lease) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.held[one]; !ok {
		return
	}
	delete(l.held, one)
	l.bytes -= one.bytes
	l.room.Signal()
}

// keep calls renew every interval with the leases that are due, from a goroutine
// that ends with close. Those are never more than the consumer's MaxAckPending.
func (l *leases) keep(interval time.Duration, renew func([]*lease)) {
	l.stopped.Add(1)
	go func() {
		defer l.stopped.Done()
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case now := <-ticker.C:
				renew(l.due(now, interval))
			case <-l.stop:
				return
			}
		}
	}()
}

// due returns the leases not renewed within half the interval before now, so
// that none waits longer than one and a half intervals, and counts them as renewed.
func (l *leases) due(now time.Time, interval time.Duration) []*lease {
	l.mu.Lock()
	defer l.mu.Unlock()
	var due []*lease
	for one := range l.held {
		if now.Sub(one.renewed) >= interval/2 {
			one.renewed = now
			due = append(due, one)
		}
	}
	return due
}

// close ends all leases and returns those that were held.
func (l *leases) close() []*lease {
	l.mu.Lock()
	held := make([]*lease, 0, len(l.held))
	for one := range l.held {
		held = append(held, one)
	}
	l.closed, l.held, l.bytes = true, nil, 0
	l.room.Broadcast()
	l.mu.Unlock()
	close(l.stop)
	l.stopped.Wait()
	return held
}
