package pipeline

import (
	"context"
	"errors"
	"time"

	"starling/store"
)

// A Retention says how many documents a state file keeps, and for how long. The
// oldest leave, in the order they came; the clusters keep what they have of them,
// and their ids stay known. Its zero value keeps all.
type Retention struct {
	// Documents is how many are kept at least; 0 for all. Those that a restart
	// needs are kept beyond that, up to twice Settings.SnapshotEvery.
	Documents int64
	// For is how long a document is kept after its own time; 0 for ever. One
	// without a time is kept as long as those after it.
	For time.Duration
}

const (
	// trimEvery is how much time lies between two looks at what may leave.
	trimEvery = time.Second
	// trimsAtATime bounds how many transactions one look makes, of some hundred
	// documents each: the last look is not to hold up the end of a run.
	trimsAtATime = 64
)

// trim has documents leave the state file as Keep says, some at a time, so that
// commits come in between, until no more commits come.
func (p *Pipeline) trim(ctx context.Context) error {
	if p.Keep == (Retention{}) {
		return nil
	}
	every := time.NewTicker(trimEvery)
	defer every.Stop()
	for over := false; !over; {
		select {
		case <-every.C:
		case <-p.over:
			over = true
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if err := p.trimSome(ctx); err != nil {
			return err
		}
	}
	return nil
}

// trimSome has those leave that may. What fails is tried again later, unless the
// file is damaged.
func (p *Pipeline) trimSome(ctx context.Context) error {
	retention := p.retention(time.Now())
	for range trimsAtATime {
		n, err := p.Store.Trim(ctx, retention)
		switch {
		case errors.Is(err, store.ErrDamaged):
			return err
		case err != nil:
			p.Log.Warn("documents that should leave the state could not; will try again", "error", err)
			return nil
		case n == 0:
			return nil
		}
	}
	return nil
}

// retention is what the store is told. Without a topic no update is due.
func (p *Pipeline) retention(now time.Time) store.Retention {
	r := store.Retention{Documents: p.Keep.Documents, Unpublished: p.Topic == nil}
	if p.Keep.For > 0 {
		r.Before, r.Now = now.Add(-p.Keep.For), now
	}
	return r
}
