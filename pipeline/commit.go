package pipeline

import (
	"context"
	"fmt"
	"time"

	"starling"
	"starling/store"
)

const (
	// maxPending bounds the transactions that wait for the one being written.
	maxPending = 32
	// maxRecords bounds the documents of one transaction.
	maxRecords = 1024
	// manyRecords, in one batch, say that there is more to do than can be done; then
	// a transaction waits for others for gatherTime, since few large ones take less of
	// the processor than many small ones.
	manyRecords = 32
	gatherTime  = 10 * time.Millisecond
)

// commit writes what was clustered. While one transaction is being made
// durable, the batches that come are gathered for the next, so that the cost of
// a sync to disk is shared by as many as are waiting.
func (p *Pipeline) commit(ctx context.Context) error {
	defer close(p.over)
	for _, box := range p.outboxes {
		defer close(box.committed)
	}
	for t := range p.applied {
		p.gather(t)
		if err := p.write(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// gather adds the transactions that are waiting to t and, where there is much to
// do, those that come a little later.
func (p *Pipeline) gather(t *transaction) {
	var enough <-chan time.Time
	if len(t.Records) >= manyRecords {
		timer := time.NewTimer(gatherTime)
		defer timer.Stop()
		enough = timer.C
	}
	for len(t.Records) < maxRecords && t.Snapshot == nil && t.editing == nil {
		next := p.another(enough)
		if next == nil {
			return
		}
		t.Records = append(t.Records, next.Records...)
		t.DeadLetters = append(t.DeadLetters, next.DeadLetters...)
		t.Snapshot = next.Snapshot
		t.messages = append(t.messages, next.messages...)
		t.ids = append(t.ids, next.ids...)
		t.duplicates += next.duplicates
		t.Edits, t.editing = next.Edits, next.editing
	}
}

// another returns the next transaction that waits, or that comes until enough says
// that it is; nil for none. Without enough it waits for nothing.
func (p *Pipeline) another(enough <-chan time.Time) *transaction {
	select {
	case next := <-p.applied:
		return next
	default:
	}
	if enough == nil {
		return nil
	}
	select {
	case next := <-p.applied:
		return next
	case <-enough:
		return nil
	}
}

// write makes a transaction durable, and only then acknowledges its messages
// and tells of its updates.
func (p *Pipeline) write(ctx context.Context, t *transaction) error {
	started := time.Now()
	if err := p.Store.Commit(ctx, t.Batch); err != nil {
		return fmt.Errorf("committing %d documents: %w", len(t.Records), err)
	}
	p.meter.worked(&p.meter.stats.Commit, len(t.Records), started)
	for _, message := range t.messages {
		message.Ack()
	}
	p.inFlight.landed(t.ids, len(t.messages))
	p.meter.durable(t, time.Now())
	for _, box := range p.outboxes {
		box.wake()
	}
	if t.editing != nil {
		t.editing.made <- nil
	}
	return p.tell(t.Batch)
}

func (p *Pipeline) tell(b store.Batch) error {
	if p.OnDeadLetters != nil && len(b.DeadLetters) > 0 {
		p.OnDeadLetters(b.DeadLetters)
	}
	if p.OnRecords != nil && len(b.Records) > 0 {
		p.OnRecords(b.Records)
	}
	if p.OnUpdates == nil || len(b.Records) == 0 {
		return nil
	}
	updates := make([]starling.Update, len(b.Records))
	for i, record := range b.Records {
		updates[i] = record.Update
	}
	return p.OnUpdates(updates)
}
