package kafkapubsub

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"gocloud.dev/pubsub"
	"gocloud.dev/pubsub/driver"
	"gocloud.dev/pubsub/drivertest"
)

// harness runs gocloud's suite against one broker.
type harness struct{ server string }

var names atomic.Int64

func (h *harness) address() Address {
	a, err := ParseURL(fmt.Sprintf("kafka://%s/test-%d?partitions=1&session_timeout=2s", h.server, names.Add(1)))
	if err != nil {
		panic(err)
	}
	return a
}

func (h *harness) CreateTopic(ctx context.Context, _ string) (driver.Topic, func(), error) {
	topic, err := newTopic(ctx, h.address())
	if err != nil {
		return nil, nil, err
	}
	return topic, topic.client.Close, topic.findOrMake(ctx) // one test does not close it
}

func (h *harness) MakeNonexistentTopic(ctx context.Context) (driver.Topic, error) {
	return newTopic(ctx, h.address())
}

func (h *harness) CreateSubscription(
	ctx context.Context, topic driver.Topic, _ string,
) (driver.Subscription, func(), error) {
	a := h.address()
	a.Topic, a.Group = topic.(*Topic).address.Topic, a.Topic
	s, err := newSubscription(ctx, a)
	if err != nil {
		return nil, nil, err
	}
	return s, func() { _ = s.Close() }, nil // some tests do not
}

func (h *harness) MakeNonexistentSubscription(ctx context.Context) (driver.Subscription, func(), error) {
	s, err := newSubscription(ctx, h.address())
	return s, func() {}, err
}

func (h *harness) Close()                              {}
func (h *harness) MaxBatchSizes() (int, int)           { return 0, 0 }
func (h *harness) SupportsMultipleSubscriptions() bool { return true }

// asTest checks the types that the package's comment promises for As.
type asTest struct{}

func (asTest) Name() string { return "Kafka types" }

func (asTest) TopicCheck(topic *pubsub.Topic) error {
	var client *kgo.Client
	var direct *Topic
	if !topic.As(&client) || !topic.As(&direct) {
		return errors.New("Topic.As failed")
	}
	return nil
}

func (asTest) SubscriptionCheck(s *pubsub.Subscription) error {
	var backlog *Backlogger
	if !s.As(&backlog) {
		return errors.New("Subscription.As gave no backlog")
	}
	return nil
}

func (asTest) TopicErrorCheck(topic *pubsub.Topic, err error) error {
	return isUnknownTopic(topic.ErrorAs, err)
}

func (asTest) SubscriptionErrorCheck(s *pubsub.Subscription, err error) error {
	return isUnknownTopic(s.ErrorAs, err)
}

func isUnknownTopic(as func(error, any) bool, err error) error {
	var kafka *kerr.Error
	if !as(err, &kafka) || kafka.Code != kerr.UnknownTopicOrPartition.Code {
		return fmt.Errorf("%w is not a Kafka error for a missing topic", err)
	}
	return nil
}

func (asTest) MessageCheck(m *pubsub.Message) error {
	var record *kgo.Record
	if !m.As(&record) || record.Offset != 0 || time.Since(record.Timestamp) > time.Minute {
		return fmt.Errorf("Message.As gave %+v", record)
	}
	return nil
}

func (asTest) BeforeSend(as func(any) bool) error {
	var record *kgo.Record
	if !as(&record) || record.Topic == "" {
		return errors.New("BeforeSend's As failed")
	}
	return nil
}

func (asTest) AfterSend(as func(any) bool) error {
	var record *kgo.Record
	if !as(&record) || record.Offset != 0 || record.Timestamp.IsZero() {
		return errors.New("AfterSend's As failed")
	}
	return nil
}

func TestConformance(t *testing.T) {
	server := startKafka(t).ListenAddrs()[0]
	drivertest.RunConformanceTests(t, func(context.Context, *testing.T) (drivertest.Harness, error) {
		return &harness{server}, nil
	}, []drivertest.AsTest{asTest{}})
}
