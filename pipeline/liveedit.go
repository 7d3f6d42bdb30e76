package pipeline

import (
	"context"
	"errors"
	"fmt"

	"starling"
	"starling/store"
)

// An editing is an edit that somebody waits for.
type editing struct {
	starling.Edit
	events []starling.Event
	// made gets what became of it once, and has room for that.
	made chan error
}

// Edit makes an edit while the pipeline runs, or after it ended well, and returns
// what that did once it is durable. It comes between two batches, and the state is as
// if the edit had been made by the function [Edit] then. Documents cannot be deleted
// so: that takes the file for itself. It may be called from any goroutine, and waits
// where the pipeline has not begun.
func (p *Pipeline) Edit(ctx context.Context, e starling.Edit) ([]starling.Event, error) {
	asked := &editing{Edit: e, made: make(chan error, 1)}
	select {
	case p.edits <- asked:
	case <-p.ended:
		return p.editEnded(ctx, e)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case err := <-asked.made:
		return asked.events, err
	case <-p.ended:
	}
	select {
	case err := <-asked.made:
		return asked.events, err
	default:
		return nil, fmt.Errorf("the run failed: %w", p.failure)
	}
}

// editEnded makes an edit after the run.
func (p *Pipeline) editEnded(ctx context.Context, e starling.Edit) ([]starling.Event, error) {
	if p.failure != nil {
		return nil, fmt.Errorf("the run failed: %w", p.failure)
	}
	if e.Kind == starling.EditDelete {
		return nil, errDeleteLive
	}
	p.clustering.Lock()
	defer p.clustering.Unlock()
	return Edit(ctx, p.Store, p.State, e)
}

var errDeleteLive = errors.New("documents are deleted while no run has the state open: starling edit delete")

// nextChange waits for what changes the clusters next, a batch or an edit, and
// makes that change. It returns nil when nothing comes any more.
func (p *Pipeline) nextChange(ctx context.Context) (*transaction, error) {
	for {
		select {
		case b, open := <-p.ordered:
			if !open {
				return nil, nil
			}
			select {
			case <-b.embedded:
				return p.change(ctx, b)
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
		case e := <-p.edits:
			if t := p.edit(e); t != nil {
				return t, nil
			}
		}
	}
}

// edit makes an edit, and returns nil where it is refused.
func (p *Pipeline) edit(e *editing) *transaction {
	if e.Kind == starling.EditDelete {
		e.made <- errDeleteLive
		return nil
	}
	p.clustering.Lock()
	defer p.clustering.Unlock()
	events, err := p.State.Edit(e.Edit)
	if err != nil {
		e.made <- err
		return nil
	}
	e.events = events
	record := store.EditRecord{Number: p.State.Edits(), Seq: p.State.Documents(), Edit: e.Edit, Events: events}
	return &transaction{Batch: store.Batch{Edits: []store.EditRecord{record}}, editing: e}
}
