package pipeline

import (
	"context"
	"errors"
	"time"

	"starling/broker"
)

const (
	// publishAtATime bounds the updates sent before the cursor moves on.
	publishAtATime = 256
	// publishFirstWait and publishLongestWait bound the pause after a failure.
	publishFirstWait   = 100 * time.Millisecond
	publishLongestWait = 10 * time.Second
	// publishLastTries is how often a failure is tried again once the run is over.
	publishLastTries = 3
)

// publish sends updates to the topic. The journal is the outbox: a cursor in
// the state file says up to which update it was emptied, so that updates are
// sent in order, at least once each, and never before they are durable. When
// the topic fails the cursor stays, clustering goes on, and what is left over
// when the run ends is sent by the next one. A topic that refuses an update gets
// none after it either, for the order's sake.
func (p *Pipeline) publish(ctx context.Context) error {
	if p.Topic == nil {
		for range p.committed {
		}
		return nil
	}
	wait, tries := publishFirstWait, 0
	for over := false; ; {
		sent, err := p.publishSome(ctx)
		switch {
		case errors.Is(err, broker.ErrRefused):
			p.Log.Error("publishing updates has ended: the topic will not take them; the next run tries again from there", "error", err)
			for range p.committed {
			}
			return nil
		case err != nil && over && tries == publishLastTries:
			p.Log.Warn("updates are left for the next run", "error", err)
			return nil
		case err != nil:
			p.Log.Warn("publishing updates; will try again", "error", err, "in", wait)
			wasOver := over
			if over, err = p.pause(ctx, wait, over); err != nil {
				return err
			}
			wait, tries = min(2*wait, publishLongestWait), tries+1
			if over && !wasOver {
				wait, tries = publishFirstWait, 0 // the last tries are counted from here
			}
		case sent == publishAtATime:
			wait, tries = publishFirstWait, 0
		case over:
			return nil
		default:
			wait, tries = publishFirstWait, 0
			if _, open := <-p.committed; !open {
				over = true
			}
		}
	}
}

// pause waits, and returns whether the run is over: no more commits come.
func (p *Pipeline) pause(ctx context.Context, wait time.Duration, over bool) (bool, error) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return over, context.Cause(ctx)
	}
	select {
	case _, open := <-p.committed:
		return over || !open, nil
	default:
		return over, nil
	}
}

// publishSome sends the next updates and moves the cursor past them. It returns
// how many they were.
func (p *Pipeline) publishSome(ctx context.Context) (int, error) {
	started := time.Now()
	after, err := p.Store.Published(ctx)
	if err != nil {
		return 0, err
	}
	updates, err := p.Store.Updates(ctx, after, publishAtATime)
	if err != nil || len(updates) == 0 {
		return 0, err
	}
	messages := make([]broker.OutMessage, len(updates))
	for i, update := range updates {
		if messages[i], err = broker.UpdateMessage(update); err != nil {
			return 0, err
		}
	}
	if err := p.Topic.Publish(ctx, messages); err != nil {
		return 0, err
	}
	p.meter.worked(&p.meter.stats.Publish, len(updates), started)
	return len(updates), p.Store.SetPublished(ctx, updates[len(updates)-1].Seq)
}
