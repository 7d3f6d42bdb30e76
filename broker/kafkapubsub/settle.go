package kafkapubsub

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"gocloud.dev/pubsub/driver"
)

const (
	// commitPause is between two commits, which take in all that was acknowledged
	// meanwhile.
	commitPause = 100 * time.Millisecond
	// commitTimeout bounds one commit, and so how long a rebalance waits for it.
	commitTimeout = 5 * time.Second
)

// SendAcks implements driver.Subscription. The offsets are committed soon after,
// at the latest by Close.
func (s *subscription) SendAcks(_ context.Context, ids []driver.AckID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		s.tracker.ack(id.(*delivery))
	}
	signal(s.settled)
	signal(s.dirty)
	return nil
}

// SendNacks implements driver.Subscription.
func (s *subscription) SendNacks(_ context.Context, ids []driver.AckID) error {
	deliveries := make([]*delivery, len(ids))
	for i, id := range ids {
		deliveries[i] = id.(*delivery)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tracker.nack(deliveries)
	s.interrupt()
	return nil
}

// CanNack implements driver.Subscription.
func (*subscription) CanNack() bool { return true }

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// keepCommitting commits what is acknowledged until the subscription is closed.
// What fails is tried again with what is acknowledged meanwhile.
func (s *subscription) keepCommitting(member *kgo.Client) {
	defer close(s.committed)
	for {
		select {
		case <-s.dirty:
		case <-s.open.Done():
			return
		}
		ctx, cancel := context.WithTimeout(s.open, commitTimeout)
		err := s.commit(ctx, member)
		cancel()
		if err != nil && s.open.Err() == nil {
			slog.Warn("committing offsets, trying again", "topic", s.address.Topic, "group", s.address.Group, "error", err)
			signal(s.dirty)
		}
		if sleep(s.open, commitPause) != nil {
			return
		}
	}
}

// commit tells the group which offsets are acknowledged.
func (s *subscription) commit(ctx context.Context, member *kgo.Client) error {
	s.committing.Lock()
	defer s.committing.Unlock()
	return s.commitAlone(ctx, member)
}

// commitAlone is commit for who holds committing.
func (s *subscription) commitAlone(ctx context.Context, member *kgo.Client) error {
	s.mu.Lock()
	offsets := s.tracker.uncommitted()
	s.mu.Unlock()
	if len(offsets) == 0 {
		return nil
	}
	var failed error
	member.CommitOffsetsSync(ctx, map[string]map[int32]kgo.EpochOffset{s.address.Topic: offsets},
		func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, response *kmsg.OffsetCommitResponse, err error) {
			failed = commitError(response, err)
		})
	if failed != nil {
		return failed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tracker.commit(offsets)
	return nil
}

// commitError is the first error of a commit.
func commitError(response *kmsg.OffsetCommitResponse, err error) error {
	if err != nil {
		return err
	}
	for _, topic := range response.Topics {
		for _, partition := range topic.Partitions {
			if err := kerr.ErrorForCode(partition.ErrorCode); err != nil {
				return err
			}
		}
	}
	return nil
}

// onAssigned hears which partitions the group gives to this reader.
func (s *subscription) onAssigned(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tracker.assign(partitions[s.address.Topic])
}

// onRevoked hears which partitions the group is about to give to others, and
// commits what is acknowledged of them.
func (s *subscription) onRevoked(ctx context.Context, member *kgo.Client, partitions map[string][]int32) {
	s.committing.Lock()
	defer s.committing.Unlock()
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	if err := s.commitAlone(ctx, member); err != nil && !errors.Is(err, context.Canceled) {
		slog.Warn("committing offsets of partitions that go, others read some messages again",
			"topic", s.address.Topic, "group", s.address.Group, "error", err)
	}
	s.lose(partitions)
}

// onLost hears which partitions the group has taken away.
func (s *subscription) onLost(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
	s.committing.Lock()
	defer s.committing.Unlock()
	s.lose(partitions)
}

func (s *subscription) lose(partitions map[string][]int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tracker.lose(partitions[s.address.Topic])
	signal(s.settled)
}
