package pipeline

import (
	"context"
	"time"

	"starling/broker"
)

// publishUpdates sends the next updates to their topic: the journal is their outbox.
func (p *Pipeline) publishUpdates(ctx context.Context) (int, error) {
	started := time.Now()
	after, err := p.Store.Published(ctx)
	if err != nil {
		return 0, err
	}
	updates, err := p.Store.Updates(ctx, after, sendAtATime)
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

// publishDeadLetters sends the next dead letters to theirs. One that is dealt with
// before is not sent.
func (p *Pipeline) publishDeadLetters(ctx context.Context) (int, error) {
	after, err := p.Store.SentDeadLetters(ctx)
	if err != nil {
		return 0, err
	}
	letters, err := p.Store.DueDeadLetters(ctx, after, sendAtATime)
	if err != nil || len(letters) == 0 {
		return 0, err
	}
	messages := make([]broker.OutMessage, len(letters))
	for i, letter := range letters {
		if messages[i], err = deadLetterMessage(letter); err != nil {
			return 0, err
		}
	}
	if err := p.DeadLetterTopic.Publish(ctx, messages); err != nil {
		return 0, err
	}
	return len(letters), p.Store.SetSentDeadLetters(ctx, letters[len(letters)-1].Number)
}
