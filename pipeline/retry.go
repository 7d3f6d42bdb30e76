package pipeline

import (
	"context"
	"fmt"
	"iter"

	"starling"
	"starling/broker"
	"starling/store"
)

// Retry processes dead letters once more, as a run with the same settings would
// process their messages, and returns how many are documents now, how many were
// already, and how many could not be processed again. Those of the first two
// kinds leave in the transaction that holds their documents; the others stay,
// with the reason of now, and OnDeadLetters is told of them. No run works on the
// state meanwhile. Source and Topic are not used: updates are published by the
// next run.
func Retry(ctx context.Context, settings Settings, letters iter.Seq2[store.DeadLetter, error]) (Summary, error) {
	r := retry{Pipeline: New(settings), snapshotAt: settings.State.Documents()}
	for letter, err := range letters {
		if err != nil {
			return r.Stats().Summary, err
		}
		if r.letters = append(r.letters, letter); len(r.letters) < r.BatchSize {
			continue
		}
		if err := r.process(ctx); err != nil {
			return r.Stats().Summary, err
		}
	}
	if err := r.process(ctx); err != nil {
		return r.Stats().Summary, err
	}
	err := r.finish(ctx)
	return r.Stats().Summary, err
}

var errCut = fmt.Errorf("the body is longer than the %d bytes that are kept of it; send the message again", store.MaxBodyBytes)

// A retry is a pipeline that is driven by hand.
type retry struct {
	*Pipeline
	letters    []store.DeadLetter // to be processed next
	snapshotAt int64
}

// process processes the letters that were gathered.
func (r *retry) process(ctx context.Context) error {
	b := &batch{}
	numbers := make(map[*broker.Message]int64, len(r.letters))
	for _, letter := range r.letters {
		message := &broker.Message{ID: letter.MessageID, Body: letter.Body, Attributes: letter.Attributes, Time: letter.Time}
		numbers[message] = letter.Number
		if len(letter.Body) < store.MaxBodyBytes {
			b.add(message, r.Decoder)
		} else {
			b.refuse(message, starling.Document{ID: letter.DocumentID}, errCut)
		}
	}
	r.letters = r.letters[:0]
	if err := b.embed(ctx, r.Model); err != nil {
		return err
	}
	t, err := r.apply(ctx, b)
	if err != nil {
		return err
	}
	for i, refused := range b.refused {
		t.DeadLetters[i].Number = numbers[refused.message]
		delete(numbers, refused.message)
	}
	for _, number := range numbers {
		t.Settled = append(t.Settled, number)
	}
	return r.commit(ctx, t)
}

// commit makes a transaction durable. There are no messages to acknowledge.
func (r *retry) commit(ctx context.Context, t *transaction) (err error) {
	if done := r.State.Documents(); done-r.snapshotAt >= r.SnapshotEvery {
		if t.Snapshot, err = snapshotOf(r.State); err != nil {
			return err
		}
		r.snapshotAt = done
	}
	t.messages = nil
	if err := r.write(ctx, t); err != nil {
		return fmt.Errorf("retrying dead letters: %w", err)
	}
	return nil
}

// finish writes a last snapshot, as a run does.
func (r *retry) finish(ctx context.Context) error {
	if r.State.Documents() == r.snapshotAt {
		return nil
	}
	last, err := snapshotOf(r.State)
	if err != nil {
		return err
	}
	return r.Store.Commit(ctx, store.Batch{Snapshot: last})
}
