package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"starling"
	"starling/broker"
	"starling/store"
)

// A batch is messages that are embedded together.
type batch struct {
	documents []starling.Document
	// messages[i] brought documents[i].
	messages []*broker.Message
	// vectors[i] belongs to documents[i]. Set, as is refused, by the worker
	// before it closes embedded.
	vectors  [][]float32
	embedded chan struct{}
	// refused could not be made documents, or have no vector.
	refused []refusal
}

// A refusal is a message that becomes a dead letter.
type refusal struct {
	letter  store.DeadLetter
	message *broker.Message
}

// receive takes messages from the source until the context ends or the source
// is idle for long enough.
func (p *Pipeline) receive(ctx context.Context) error {
	defer close(p.received)
	for {
		message, err := p.next(ctx)
		switch {
		case errors.Is(err, errIdle), ctx.Err() != nil:
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

// assemble decodes messages and gathers them into batches.
func (p *Pipeline) assemble(ctx context.Context) error {
	defer close(p.unembedded)
	defer close(p.ordered)
	for message := range p.received {
		if err := p.pass(ctx, p.decode(p.fill(message))); err != nil {
			return err
		}
	}
	return nil
}

// fill gathers messages for a batch that begins with one: as many as arrive while
// it lingers, up to BatchSize.
func (p *Pipeline) fill(first *broker.Message) []*broker.Message {
	messages := append(make([]*broker.Message, 0, p.BatchSize), first)
	full := time.NewTimer(p.Linger)
	defer full.Stop()
	for len(messages) < p.BatchSize {
		select {
		case message, open := <-p.received:
			if !open {
				return messages
			}
			messages = append(messages, message)
		case <-full.C:
			return messages
		}
	}
	return messages
}

// decode makes a batch of messages.
func (p *Pipeline) decode(messages []*broker.Message) *batch {
	started := time.Now()
	b := &batch{embedded: make(chan struct{})}
	for _, message := range messages {
		b.add(message)
	}
	p.meter.worked(&p.meter.stats.Decode, len(messages), started)
	return b
}

func (p *Pipeline) pass(ctx context.Context, b *batch) error {
	if err := send(ctx, p.ordered, b); err != nil {
		return err
	}
	return send(ctx, p.unembedded, b)
}

func (b *batch) add(message *broker.Message) {
	document, err := message.Document()
	if err != nil {
		b.refuse(message, document, err)
		return
	}
	b.documents = append(b.documents, document)
	b.messages = append(b.messages, message)
}

func (b *batch) refuse(message *broker.Message, document starling.Document, reason error) {
	b.refused = append(b.refused, refusal{message: message, letter: store.DeadLetter{
		MessageID:  message.ID,
		DocumentID: document.ID,
		Reason:     reason.Error(),
		Body:       message.Body,
		Attributes: message.Attributes,
		Time:       message.Time,
	}})
}
