package kafkapubsub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"gocloud.dev/gcerrors"
	"gocloud.dev/pubsub/driver"
)

const (
	// pollTime is how long ReceiveBatch waits for a first message.
	pollTime = time.Second
	// startPause is how long it waits when the brokers are away at the start.
	startPause = 200 * time.Millisecond
)

// ReceiveBatch implements driver.Subscription. It is called once at a time.
func (s *subscription) ReceiveBatch(ctx context.Context, most int) ([]*driver.Message, error) {
	if s.receiving.Err() != nil {
		return nil, context.Cause(s.receiving)
	}
	if err := s.join(ctx); isRetryable(err) {
		return nil, sleep(ctx, startPause) // gocloud calls again
	} else if err != nil {
		return nil, err
	}
	waiting, cancel := context.WithTimeout(ctx, pollTime)
	defer cancel()
	defer context.AfterFunc(s.receiving, cancel)()
	if messages := s.next(waiting, cancel, most); len(messages) > 0 {
		return messages, nil
	}
	if s.receiving.Err() != nil {
		return nil, context.Cause(s.receiving)
	}
	return nil, ctx.Err()
}

// next returns what was given back, or else what arrives before ctx is done.
// What is given back meanwhile calls cancel.
func (s *subscription) next(ctx context.Context, cancel context.CancelFunc, most int) []*driver.Message {
	s.mu.Lock()
	s.interrupt = cancel
	s.mu.Unlock()
	for ctx.Err() == nil {
		again, room := s.look(most)
		if len(again) > 0 {
			return again
		}
		if room > 0 {
			return s.poll(ctx, min(most, room))
		}
		select {
		case <-s.settled:
		case <-ctx.Done():
		}
	}
	return nil
}

// look returns up to most messages that were given back, and how many more may
// be held.
func (s *subscription) look(most int) (again []*driver.Message, room int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	again = s.tracker.takeAgain(most)
	if s.tracker.bytes >= heldBytes {
		return again, 0
	}
	return again, heldMessages - s.tracker.count
}

// poll returns up to most records that arrive before ctx is done. No partition
// comes or goes from their arrival until they are held.
func (s *subscription) poll(ctx context.Context, most int) []*driver.Message {
	defer s.member.AllowRebalance()
	fetches := s.member.PollRecords(ctx, most)
	fetches.EachError(func(_ string, partition int32, err error) {
		if ctx.Err() == nil || !errors.Is(err, ctx.Err()) {
			s.fetchError(partition, err)
		}
	})
	return s.hold(fetches)
}

// hold makes messages of records.
func (s *subscription) hold(fetches kgo.Fetches) []*driver.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	var messages []*driver.Message
	fetches.EachRecord(func(record *kgo.Record) {
		d := s.tracker.add(record)
		if d == nil {
			return
		}
		d.message = &driver.Message{
			LoggableID: fmt.Sprintf("%s/%d/%d", record.Topic, record.Partition, record.Offset),
			Body:       record.Value,
			Metadata:   decodeAttributes(record),
			AckID:      d,
			AsFunc:     assign(record),
		}
		messages = append(messages, d.message)
	})
	return messages
}

// fetchError hears what the client met in the background. It goes on by itself
// unless it has no right to what it wants.
func (s *subscription) fetchError(partition int32, err error) {
	log := slog.With("topic", s.address.Topic, "partition", partition, "group", s.address.Group, "error", err)
	var lost *kgo.ErrDataLoss
	switch {
	case errors.As(err, &lost):
		log.Warn("the broker has lost messages, or deleted them before they were read")
	case isFinal(err):
		s.stop(fmt.Errorf("reading topic %s at %s as group %s: %s%w",
			s.address.Topic, s.address.servers(), s.address.Group, topicHint(err), err))
	default:
		log.Warn("reading from the broker, going on")
	}
}

func isFinal(err error) bool {
	switch errorCode(err) {
	case gcerrors.NotFound, gcerrors.InvalidArgument, gcerrors.PermissionDenied, gcerrors.FailedPrecondition:
		return true
	}
	return false
}

// sleep waits, or returns why ctx is done.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
