package kafkapubsub

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"gocloud.dev/gcerrors"
	"gocloud.dev/pubsub"
	"gocloud.dev/pubsub/batcher"
)

const (
	// heldMessages and heldBytes bound what a subscription has received and may
	// not commit yet: beyond them it receives nothing, except what is left of one
	// answer of a broker.
	heldMessages = 8192
	heldBytes    = 64 << 20
	// fetchBytes bounds what one answer of a broker brings; the client asks for
	// the next while this one is worked on.
	fetchBytes = 16 << 20
	// fetchPartitionBytes bounds what it brings of one partition.
	fetchPartitionBytes = 4 << 20
	// leaveTimeout bounds what Close waits for the brokers.
	leaveTimeout = 2 * time.Second
)

// A subscription is gocloud's driver over one member of a consumer group. It
// joins the group at the first ReceiveBatch.
type subscription struct {
	address Address
	admin   *kgo.Client // looks things up; a member of no group

	// receiving is done when ReceiveBatch shall fail from now on; its cause says
	// why.
	receiving context.Context
	stop      context.CancelCauseFunc

	// open is done when the subscription is closed.
	open  context.Context
	close context.CancelFunc

	// committing is held from reading the offsets to commit until the broker
	// has them, so that no partition goes meanwhile.
	committing sync.Mutex
	committed  chan struct{} // closed when keepCommitting has ended

	settled chan struct{} // has an element when there may be room again
	dirty   chan struct{} // has an element when there may be offsets to commit

	mu        sync.Mutex // guards what follows
	closed    bool
	member    *kgo.Client // nil until the first ReceiveBatch
	tracker   *offsetTracker
	interrupt context.CancelFunc // ends the wait of ReceiveBatch
}

// OpenSubscription opens the topic of an address for reading as one member of
// the consumer group. Closing the subscription commits what is acknowledged and
// leaves the group.
func OpenSubscription(ctx context.Context, a Address) (*pubsub.Subscription, error) {
	s, err := newSubscription(ctx, a)
	if err != nil {
		return nil, err
	}
	if err := lookUpTopic(ctx, s.admin, a); err != nil {
		s.admin.Close()
		return nil, err
	}
	return pubsub.NewSubscription(s, receiveOptions, ackOptions), nil
}

var (
	// One ReceiveBatch at a time keeps the order of the partitions.
	receiveOptions = &batcher.Options{MaxHandlers: 1}
	ackOptions     = &batcher.Options{MaxHandlers: 1, MaxBatchSize: 4096}
)

func newSubscription(ctx context.Context, a Address) (*subscription, error) {
	admin, err := connect(ctx, a)
	if err != nil {
		return nil, err
	}
	s := &subscription{
		address: a, admin: admin, tracker: newOffsetTracker(), committed: make(chan struct{}),
		settled: make(chan struct{}, 1), dirty: make(chan struct{}, 1), interrupt: func() {},
	}
	s.open, s.close = context.WithCancel(context.Background())
	s.receiving, s.stop = context.WithCancelCause(context.Background())
	return s, nil
}

// join makes this reader a member of the group, once.
func (s *subscription) join(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	if s.member != nil {
		return nil
	}
	if err := lookUpTopic(ctx, s.admin, s.address); err != nil {
		return err
	}
	member, err := newClient(s.address, s.memberOptions()...)
	if err != nil {
		return err
	}
	s.member = member
	go s.keepCommitting(member)
	return nil
}

func (s *subscription) memberOptions() []kgo.Opt {
	return []kgo.Opt{
		kgo.ConsumerGroup(s.address.Group),
		kgo.ConsumeTopics(s.address.Topic),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.SessionTimeout(s.address.SessionTimeout),
		kgo.HeartbeatInterval(min(3*time.Second, s.address.SessionTimeout/3)),
		kgo.DisableAutoCommit(),
		// Nothing moves between a record's arrival and the tracker's knowing it.
		kgo.BlockRebalanceOnPoll(),
		kgo.OnPartitionsAssigned(s.onAssigned),
		kgo.OnPartitionsRevoked(s.onRevoked),
		kgo.OnPartitionsLost(s.onLost),
		// What a producer has taken back is no message.
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.FetchMaxBytes(fetchBytes),
		kgo.FetchMaxPartitionBytes(fetchPartitionBytes),
		kgo.MaxConcurrentFetches(1),
	}
}

// StopReceiving makes ReceiveBatch fail from now on, while messages can still be
// acknowledged. A gocloud subscription keeps a goroutine for ever when it is
// shut down between two calls of Receive; who stops it first, and then receives
// until there is an error, leaves none behind.
func (s *subscription) StopReceiving() { s.stop(errStopped) }

var (
	errStopped = errors.New("the subscription is stopped")
	errClosed  = errors.New("the subscription is closed")
)

// IsRetryable implements driver.Subscription.
func (*subscription) IsRetryable(err error) bool { return isRetryable(err) }

// As implements driver.Subscription.
func (s *subscription) As(target any) bool {
	return assign[interface{ StopReceiving() }](s)(target) || assign(&Backlogger{s})(target)
}

// ErrorAs implements driver.Subscription.
func (*subscription) ErrorAs(err error, target any) bool { return errorAs(err, target) }

// ErrorCode implements driver.Subscription.
func (*subscription) ErrorCode(err error) gcerrors.ErrorCode { return errorCode(err) }

// Close implements driver.Subscription: it commits what is acknowledged and
// leaves the group, or fails within a few seconds. Calling it again does
// nothing.
func (s *subscription) Close() error {
	s.stop(errClosed)
	s.mu.Lock()
	closed, member := s.closed, s.member
	s.closed = true
	s.mu.Unlock()
	if closed {
		return nil
	}
	s.close()
	defer s.admin.Close()
	if member == nil {
		return nil
	}
	<-s.committed
	ctx, cancel := context.WithTimeout(context.Background(), leaveTimeout)
	defer cancel()
	err := s.commit(ctx, member)
	s.leave(ctx, member)
	if err != nil {
		return fmt.Errorf("committing the offsets of group %s for topic %s at %s: %w; "+
			"what was acknowledged last comes again", s.address.Group, s.address.Topic, s.address.servers(), err)
	}
	return nil
}

// leave leaves the group, so that others take over at once; those who hear
// nothing of it do when the session times out.
func (*subscription) leave(ctx context.Context, member *kgo.Client) {
	member.AllowRebalance()
	_ = member.LeaveGroupContext(ctx)
	member.CloseAllowingRebalance()
}
