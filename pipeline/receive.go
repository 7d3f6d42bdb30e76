package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"starling"
	"starling/broker"
	"starling/broker/feed"
	"starling/cluster"
	"starling/store"
)

// A batch is messages that are embedded together.
type batch struct {
	// arrived are the messages as they came. The rest is set by the worker before
	// it closes embedded.
	arrived  []*broker.Message
	embedded chan struct{}

	documents []starling.Document
	// messages[i] brought documents[i].
	messages []*broker.Message
	// vectors[i] belongs to documents[i].
	vectors [][]float32
	// terms[i] describe documents[i].
	terms [][]cluster.Term
	// refused could not be made documents, or have no vector.
	refused []refusal
}

// A refusal is a message that becomes a dead letter.
type refusal struct {
	letter  store.DeadLetter
	message *broker.Message
}

// receive takes messages from the source until the context ends, or the source
// does, or it is idle for long enough.
func (p *Pipeline) receive(ctx context.Context) error {
	defer close(p.received)
	for {
		message, err := p.next(ctx)
		switch {
		case errors.Is(err, errIdle), errors.Is(err, io.EOF), ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("receiving: %w", err)
		}
		p.inFlight.arrived()
		if err := send(ctx, p.received, message); err != nil {
			return nil // not acknowledged, so it comes again
		}
	}
}

// errIdle ends a run that was to end when nothing comes any more.
var errIdle = errors.New("the source is idle")

// next waits for a message; with UntilIdle set, no longer than until the source
// is idle.
func (p *Pipeline) next(ctx context.Context) (*broker.Message, error) {
	if p.UntilIdle == 0 {
		return p.Source.Receive(ctx)
	}
	for {
		waiting, cancel := context.WithTimeout(ctx, p.UntilIdle)
		message, err := p.Source.Receive(waiting)
		timedOut := waiting.Err() != nil
		cancel()
		if err == nil {
			return message, nil
		}
		if ctx.Err() != nil || !timedOut {
			return nil, err
		}
		if p.drained(ctx) {
			return nil, errIdle
		}
	}
}

// drained says whether nothing is left to come: all that was received is
// acknowledged, and the broker, if it can tell, holds nothing that it will
// deliver later.
func (p *Pipeline) drained(ctx context.Context) bool {
	if !p.inFlight.empty() || !p.mayIdle() {
		return false
	}
	held, known, err := p.Source.Backlog(ctx)
	if err != nil {
		p.Log.Warn("asking the broker for its backlog", "error", err)
		return false
	}
	if known && held > 0 {
		p.Log.Info("waiting for messages that the broker still holds", "messages", held)
		return false
	}
	return true
}

func (p *Pipeline) mayIdle() bool {
	if p.IdleFrom == nil {
		return true
	}
	select {
	case <-p.IdleFrom:
		return true
	default:
		return false
	}
}

// assemble gathers messages into batches.
func (p *Pipeline) assemble(ctx context.Context) error {
	defer close(p.unembedded)
	defer close(p.ordered)
	for message := range p.received {
		b := &batch{arrived: append(make([]*broker.Message, 0, p.BatchSize), message), embedded: make(chan struct{})}
		if err := p.fill(ctx, b); err != nil {
			return err
		}
		if err := send(ctx, p.ordered, b); err != nil {
			return err
		}
	}
	return nil
}

// fill adds what arrives to a batch, up to BatchSize messages, until a worker takes
// it. So a batch is as large as the load makes it: a single message goes at once
// when nothing else is to do, and all are full when there is more than can be done.
func (p *Pipeline) fill(ctx context.Context, b *batch) error {
	for {
		arriving := p.received
		if len(b.arrived) == p.BatchSize {
			arriving = nil
		}
		select { // what is there already comes before a worker
		case message, open := <-arriving:
			if !open {
				return send(ctx, p.unembedded, b)
			}
			b.arrived = append(b.arrived, message)
			continue
		default:
		}
		select {
		case p.unembedded <- b:
			return nil
		case message, open := <-arriving:
			if !open {
				return send(ctx, p.unembedded, b)
			}
			b.arrived = append(b.arrived, message)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// decode makes documents of the messages.
func (b *batch) decode(decoder *broker.Decoder) {
	for _, message := range b.arrived {
		b.add(message, decoder)
	}
}

func (b *batch) add(message *broker.Message, decoder *broker.Decoder) {
	document, err := decoder.Document(message)
	if err != nil {
		b.refuse(message, document, err)
		return
	}
	b.documents = append(b.documents, document)
	b.messages = append(b.messages, message)
}

func (b *batch) refuse(message *broker.Message, document starling.Document, reason error) {
	message.Outcome = feed.Outcome{Document: document.ID, Reason: reason.Error()}
	b.refused = append(b.refused, refusal{message: message, letter: store.DeadLetter{
		MessageID:  message.ID,
		DocumentID: document.ID,
		Reason:     reason.Error(),
		Body:       message.Body,
		Attributes: message.Attributes,
		Time:       storable(message.Time),
	}})
}

// storable returns a time that a state can hold, or none.
func storable(t time.Time) time.Time {
	if !time.Unix(0, t.UnixNano()).Equal(t) {
		return time.Time{}
	}
	return t
}
