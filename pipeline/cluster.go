package pipeline

import (
	"context"
	"fmt"
	"time"

	"starling/broker"
	"starling/broker/feed"
	"starling/cluster"
	"starling/store"
)

// A transaction is what one batch brought, to be committed with others.
type transaction struct {
	store.Batch
	// messages are acknowledged when the transaction is durable.
	messages []*broker.Message
	// ids are the ids of Records, in flight until then.
	ids        []string
	duplicates int64
	// editing asked for the edit among Edits, if there is one.
	editing *editing
}

// cluster applies the batches in the order they were received. No other
// stage changes the clustering state.
func (p *Pipeline) cluster(ctx context.Context) error {
	defer close(p.applied)
	p.watch = p.newWatch()
	p.snapshotAt = p.State.Documents()
	for {
		t, err := p.nextChange(ctx)
		if err != nil {
			return err
		}
		if t == nil {
			break
		}
		if err := send(ctx, p.applied, t); err != nil {
			return err
		}
	}
	if p.State.Documents() == p.snapshotAt {
		return nil
	}
	last, err := snapshotOf(p.State)
	if err != nil {
		return err
	}
	return send(ctx, p.applied, &transaction{Batch: store.Batch{Snapshot: last}})
}

// change clusters a batch and, when it is time, takes a snapshot.
func (p *Pipeline) change(ctx context.Context, b *batch) (*transaction, error) {
	started := time.Now()
	t, err := p.apply(ctx, b)
	if err != nil {
		return nil, err
	}
	if done := p.State.Documents(); done-p.snapshotAt >= p.SnapshotEvery {
		if t.Snapshot, err = snapshotOf(p.State); err != nil {
			return nil, err
		}
		p.snapshotAt = done
	}
	p.meter.worked(&p.meter.stats.Cluster, len(b.documents), started)
	return t, nil
}

func snapshotOf(state *cluster.State) (*store.Snapshot, error) {
	data, err := state.AppendBinary(nil)
	if err != nil {
		return nil, fmt.Errorf("taking a snapshot: %w", err)
	}
	return &store.Snapshot{Seq: state.Documents(), Data: data}, nil
}

// apply clusters the documents of a batch that the state does not hold yet.
func (p *Pipeline) apply(ctx context.Context, b *batch) (*transaction, error) {
	seen, err := p.seen(ctx, b)
	if err != nil {
		return nil, err
	}
	p.clustering.Lock()
	defer p.clustering.Unlock()
	p.State.Expect(b.vectors)
	t := &transaction{}
	for i, document := range b.documents {
		message := b.messages[i]
		message.Outcome = feed.Outcome{Document: document.ID}
		if seen[document.ID] {
			t.messages = append(t.messages, message)
			t.duplicates++
			continue
		}
		seen[document.ID] = true
		update, err := p.State.ApplyWithTerms(document, b.vectors[i], b.terms[i])
		if err != nil {
			b.refuse(message, document, err)
			continue
		}
		message.Outcome.Seq, message.Outcome.Assignment = update.Seq, update.Assignment
		t.messages = append(t.messages, message)
		t.Records = append(t.Records, store.Record{Update: update, Embedding: b.vectors[i]})
		t.ids = append(t.ids, document.ID)
	}
	p.inFlight.add(t.ids)
	p.notice()
	for _, refused := range b.refused {
		t.DeadLetters = append(t.DeadLetters, refused.letter)
		t.messages = append(t.messages, refused.message)
	}
	return t, nil
}

// seen returns which ids of a batch the state holds or is about to. Those in
// flight are looked at first: one that is committed in between is then found in
// the store.
func (p *Pipeline) seen(ctx context.Context, b *batch) (map[string]bool, error) {
	ids := make([]string, len(b.documents))
	for i, d := range b.documents {
		ids[i] = d.ID
	}
	flying := p.inFlight.among(ids)
	known, err := p.Store.Known(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("looking up document ids: %w", err)
	}
	if known == nil {
		known = make(map[string]bool)
	}
	for _, id := range flying {
		known[id] = true
	}
	return known, nil
}
