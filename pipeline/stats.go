package pipeline

import (
	"math"
	"sync"
	"time"
)

// Stats say how a run is doing. The counts only grow.
type Stats struct {
	// Summary counts what is durable.
	Summary
	// Received counts the messages taken from the source, duplicates and those
	// that become dead letters among them.
	Received int64
	// InFlight is how many of them are not acknowledged yet.
	InFlight int64
	// Rate is how many documents a second became durable of late: a mean in which
	// what was ten seconds ago weighs a third.
	Rate float64
	// Lag is how long after it was published the newest durable message became
	// durable, by the clocks of the broker and of this machine; zero where the broker
	// does not say when a message was published. Newest is when that was.
	Lag    time.Duration
	Newest time.Time

	// Decode, Embed, Cluster, Commit and Publish are the stages. Publish.Items counts
	// the updates sent to the topic.
	Decode, Embed, Cluster, Commit, Publish StageStats
}

// StageStats say how one stage of a run is doing.
type StageStats struct {
	// Batches counts what the stage worked on: batches, and for Commit and Publish
	// transactions and what was sent together. Items counts the messages, documents or
	// updates in them, so Items/Batches is how full they are.
	Batches, Items int64
	// Busy is the time the stage was at work, waiting for others left out; of Decode
	// and Embed, that of all workers together.
	Busy time.Duration
	// Waiting is how many wait for the stage at this moment, and Room how many can
	// before the stage in front stands still: messages for Decode, and batches for
	// Cluster, those that are being embedded among them, and Commit. Embed takes over
	// from Decode at once, and Publish reads from the journal: both are zero.
	Waiting, Room int
}

// Stats returns how the run is doing. It may be called at any time, from any
// goroutine.
func (p *Pipeline) Stats() Stats {
	s := p.meter.read(time.Now())
	s.Received, s.InFlight = p.inFlight.counts()
	s.Decode.Waiting, s.Decode.Room = len(p.received), cap(p.received)
	s.Cluster.Waiting, s.Cluster.Room = len(p.ordered), cap(p.ordered)
	s.Commit.Waiting, s.Commit.Room = len(p.applied), cap(p.applied)
	return s
}

// rateTime is the time constant of Stats.Rate.
const rateTime = 10 * time.Second

// A meter keeps the counts of a run. Stages report once a batch.
type meter struct {
	mu    sync.Mutex
	stats Stats
	// began is when the run did, and moved when Rate was brought up to date.
	began, moved time.Time
}

// begin notes that the run begins.
func (m *meter) begin(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.began, m.moved = now, now
}

// worked counts a batch that a stage, one of m.stats, has worked on since a time.
func (m *meter) worked(stage *StageStats, items int, since time.Time) {
	busy := time.Since(since)
	m.mu.Lock()
	defer m.mu.Unlock()
	stage.Batches++
	stage.Items += int64(items)
	stage.Busy += busy
}

// durable counts a transaction that was made durable now.
func (m *meter) durable(t *transaction, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stats.Documents += int64(len(t.Records))
	m.stats.Duplicates += t.duplicates
	m.stats.DeadLetters += int64(len(t.DeadLetters))
	m.stats.Rate = m.faded(now) + float64(len(t.Records))/rateTime.Seconds()
	m.moved = now
	if n := len(t.messages); n > 0 && !t.messages[n-1].Time.IsZero() {
		m.stats.Newest = t.messages[n-1].Time
		m.stats.Lag = max(0, now.Sub(m.stats.Newest))
	}
}

// faded is what is left of Rate, which grew when m.moved was, at a time.
func (m *meter) faded(now time.Time) float64 {
	return m.stats.Rate * math.Exp(-now.Sub(m.moved).Seconds()/rateTime.Seconds())
}

// read returns the counts. A mean over a run that is younger than rateTime is one
// over its age.
func (m *meter) read(now time.Time) Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.stats
	if s.Rate = 0; now.After(m.began) && !m.began.IsZero() {
		s.Rate = m.faded(now) / -math.Expm1(-now.Sub(m.began).Seconds()/rateTime.Seconds())
	}
	return s
}
