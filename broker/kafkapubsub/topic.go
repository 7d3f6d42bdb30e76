package kafkapubsub

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"gocloud.dev/gcerrors"
	"gocloud.dev/pubsub"
	"gocloud.dev/pubsub/batcher"
	"gocloud.dev/pubsub/driver"
)

const (
	// bufferedBytes bounds what is on its way to the brokers.
	bufferedBytes = 16 << 20
	// sendPause is between two attempts while the brokers are away.
	sendPause = 200 * time.Millisecond
)

// A Topic publishes to a topic. Besides being gocloud's driver it publishes
// many messages in their order, see [Topic.Publish].
type Topic struct {
	client  *kgo.Client
	address Address

	// sending keeps the messages of one call together.
	sending sync.Mutex
}

// OpenTopic opens the topic of an address for publishing. One that is absent is
// made if the address says with how many partitions.
func OpenTopic(ctx context.Context, a Address) (*pubsub.Topic, error) {
	topic, err := newTopic(ctx, a)
	if err != nil {
		return nil, err
	}
	if err := topic.findOrMake(ctx); err != nil {
		topic.client.Close()
		return nil, err
	}
	// Without a MaxBatchByteSize, with which gocloud 0.47 may never shut down; the
	// client bounds the bytes.
	return pubsub.NewTopic(topic, &batcher.Options{MaxBatchSize: 1000}), nil
}

func newTopic(ctx context.Context, a Address) (*Topic, error) {
	client, err := connect(ctx, a,
		// The client's producer is idempotent: what it repeats by itself is
		// stored once and in order.
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.MaxBufferedBytes(bufferedBytes),
		// A call whose context is done ends even if a broker may have stored
		// what it does not answer.
		kgo.AllowIdempotentProduceCancellation())
	if err != nil {
		return nil, err
	}
	return &Topic{client: client, address: a}, nil
}

func (t *Topic) findOrMake(ctx context.Context) error {
	err := lookUpTopic(ctx, t.client, t.address)
	if err == nil || t.address.orMade(err) != nil {
		return err
	}
	return makeTopic(ctx, t.client, t.address)
}

// Publish publishes messages and returns when the brokers have stored them all.
// In each partition they stand in their order. While the brokers are away it
// waits for them, until ctx is done. After an error some may be stored, and
// those that are published again come twice.
func (t *Topic) Publish(ctx context.Context, messages []*driver.Message) error {
	records, err := t.encode(messages)
	if err != nil {
		return err
	}
	t.sending.Lock()
	defer t.sending.Unlock()
	if err := t.store(ctx, records); err != nil {
		return fmt.Errorf("topic %s at %s: %s%w", t.address.Topic, t.address.servers(), topicHint(err), err)
	}
	for i, m := range messages {
		if m.AfterSend == nil {
			continue
		}
		if err := m.AfterSend(assign(records[i])); err != nil {
			return err
		}
	}
	return nil
}

// store has the client send records until all are stored. The client by itself
// gives up on brokers that refuse its connections.
func (t *Topic) store(ctx context.Context, records []*kgo.Record) error {
	for {
		var last error
		if records, last = t.send(ctx, records); last == nil || !isRetryable(last) {
			return last
		}
		if err := sleep(ctx, sendPause); err != nil {
			return fmt.Errorf("%w; last error: %w", err, last)
		}
	}
}

// send has the client send records once, and returns those that are not stored,
// in their order, and why the first is not. It does not wait longer than for
// ctx, and then the client sends nothing more, though it takes a while to notice.
func (t *Topic) send(ctx context.Context, records []*kgo.Record) ([]*kgo.Record, error) {
	sent := make(chan kgo.ProduceResults, 1)
	go func() { sent <- t.client.ProduceSync(ctx, records...) }()
	select {
	case results := <-sent:
		stored := make(map[*kgo.Record]bool, len(results))
		for _, result := range results {
			stored[result.Record] = result.Err == nil
		}
		return slices.DeleteFunc(slices.Clone(records), func(r *kgo.Record) bool { return stored[r] }), results.FirstErr()
	case <-ctx.Done():
		return records, ctx.Err()
	}
}

// SendBatch implements driver.Topic.
func (t *Topic) SendBatch(ctx context.Context, messages []*driver.Message) error {
	return t.Publish(ctx, messages)
}

func (t *Topic) encode(messages []*driver.Message) ([]*kgo.Record, error) {
	records := make([]*kgo.Record, len(messages))
	for i, m := range messages {
		headers, err := encodeAttributes(m.Metadata)
		if err != nil {
			return nil, err
		}
		records[i] = &kgo.Record{Topic: t.address.Topic, Value: m.Body, Headers: headers}
		if id := m.Metadata[idAttribute]; id != "" {
			records[i].Key = []byte(id)
		}
		if m.BeforeSend == nil {
			continue
		}
		if err := m.BeforeSend(assign(records[i])); err != nil {
			return nil, err
		}
	}
	return records, nil
}

// IsRetryable implements driver.Topic: the client has repeated what can be
// repeated.
func (*Topic) IsRetryable(error) bool { return false }

// As implements driver.Topic.
func (t *Topic) As(target any) bool { return assign(t)(target) || assign(t.client)(target) }

// ErrorAs implements driver.Topic.
func (*Topic) ErrorAs(err error, target any) bool { return errorAs(err, target) }

// ErrorCode implements driver.Topic.
func (*Topic) ErrorCode(err error) gcerrors.ErrorCode { return errorCode(err) }

// Close implements driver.Topic. Everything sent has been answered by then.
func (t *Topic) Close() error {
	t.client.Close()
	return nil
}
