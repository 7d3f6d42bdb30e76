package kafkapubsub

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// A Backlogger tells how much is left to read. A subscription's As gives it.
type Backlogger struct{ s *subscription }

// Backlog returns how many offsets of the topic lie past those that the group
// has committed: messages not yet delivered, and those delivered after the
// first that is not acknowledged. Where the topic is compacted or written in
// transactions, some of these offsets hold no message.
func (b *Backlogger) Backlog(ctx context.Context) (int64, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, connectTimeout, errSilent)
	defer cancel()
	n, err := b.backlog(ctx)
	if err = timedOut(ctx, err); err != nil {
		a := b.s.address
		return 0, fmt.Errorf("asking %s for the offsets of topic %s and group %s: %w", a.servers(), a.Topic, a.Group, err)
	}
	return n, nil
}

func (b *Backlogger) backlog(ctx context.Context) (int64, error) {
	admin, topic := kadm.NewClient(b.s.admin), b.s.address.Topic
	committed, err := admin.FetchOffsetsForTopics(ctx, b.s.address.Group, topic)
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) { // nobody has read as this group yet
		return 0, err
	}
	starts, err := admin.ListStartOffsets(ctx, topic)
	if err != nil {
		return 0, err
	}
	ends, err := admin.ListEndOffsets(ctx, topic)
	if err != nil {
		return 0, err
	}
	var n int64
	for partition, end := range ends[topic] {
		if end.Err != nil {
			return 0, end.Err
		}
		from := starts[topic][partition].Offset
		if c, ok := committed.Lookup(topic, partition); ok {
			from = max(from, c.At)
		}
		n += max(0, end.Offset-from)
	}
	return n, nil
}
