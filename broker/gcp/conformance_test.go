package gcp

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	raw "cloud.google.com/go/pubsub/v2"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"gocloud.dev/gcerrors"
	"gocloud.dev/pubsub"
	"gocloud.dev/pubsub/driver"
	"gocloud.dev/pubsub/drivertest"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// TestConformance runs gocloud's suite on the subscription.
func TestConformance(t *testing.T) {
	server := startFake(t)
	drivertest.RunConformanceTests(t, func(context.Context, *testing.T) (drivertest.Harness, error) {
		return &harness{dial(t, server)}, nil
	}, []drivertest.AsTest{asTest{}})
}

type harness struct{ client *raw.Client }

var names atomic.Int64

func (h *harness) CreateTopic(ctx context.Context, _ string) (driver.Topic, func(), error) {
	name := fmt.Sprintf("topic-%d", names.Add(1))
	_, err := h.client.TopicAdminClient.CreateTopic(ctx, &pubsubpb.Topic{Name: topicName(name)})
	return &driverTopic{h.client.Publisher(name), topicName(name)}, func() {}, err
}

func (h *harness) MakeNonexistentTopic(context.Context) (driver.Topic, error) {
	return &driverTopic{h.client.Publisher("nonexistent"), topicName("nonexistent")}, nil
}

func (h *harness) CreateSubscription(
	ctx context.Context, of driver.Topic, _ string,
) (driver.Subscription, func(), error) {
	name := fmt.Sprintf("subscription-%d", names.Add(1))
	_, err := h.client.SubscriptionAdminClient.CreateSubscription(ctx,
		&pubsubpb.Subscription{Name: subscriptionName(name), Topic: of.(*driverTopic).name})
	s := newSubscription(h.client.Subscriber(name))
	return s, func() { _ = s.Close() }, err // some tests do not close it
}

func (h *harness) MakeNonexistentSubscription(context.Context) (driver.Subscription, func(), error) {
	return newSubscription(h.client.Subscriber("nonexistent")), func() {}, nil
}

func (h *harness) Close()                              {}
func (h *harness) MaxBatchSizes() (int, int)           { return 0, 0 }
func (h *harness) SupportsMultipleSubscriptions() bool { return true }

// driverTopic is a driver for the suite alone: [Topic] is none.
type driverTopic struct {
	publisher *raw.Publisher
	name      string
}

func (t *driverTopic) SendBatch(ctx context.Context, messages []*driver.Message) error {
	for _, m := range messages {
		out := &raw.Message{Data: m.Body, Attributes: m.Metadata}
		if m.BeforeSend != nil {
			if err := m.BeforeSend(nothing); err != nil {
				return err
			}
		}
		if _, err := t.publisher.Publish(ctx, out).Get(ctx); err != nil {
			return err
		}
		if m.AfterSend != nil {
			if err := m.AfterSend(nothing); err != nil {
				return err
			}
		}
	}
	return nil
}

func nothing(any) bool { return false }

func (*driverTopic) IsRetryable(error) bool             { return false }
func (*driverTopic) As(any) bool                        { return false }
func (*driverTopic) ErrorAs(err error, target any) bool { return errors.As(err, target) }
func (*driverTopic) ErrorCode(err error) gcerrors.ErrorCode {
	return (*subscription)(nil).ErrorCode(err)
}
func (t *driverTopic) Close() error { t.publisher.Stop(); return nil }

// asTest checks the types that the subscription gives by As.
type asTest struct{}

func (asTest) Name() string                               { return "the client's types" }
func (asTest) TopicCheck(*pubsub.Topic) error             { return nil }
func (asTest) BeforeSend(func(any) bool) error            { return nil }
func (asTest) AfterSend(func(any) bool) error             { return nil }
func (asTest) TopicErrorCheck(*pubsub.Topic, error) error { return nil }

func (asTest) SubscriptionCheck(s *pubsub.Subscription) error {
	var subscriber *raw.Subscriber
	if !s.As(&subscriber) {
		return errors.New("Subscription.As gave no Subscriber")
	}
	return nil
}

func (asTest) SubscriptionErrorCheck(s *pubsub.Subscription, err error) error {
	var grpc interface{ GRPCStatus() *status.Status }
	if !s.ErrorAs(err, &grpc) || grpc.GRPCStatus().Code() != codes.NotFound {
		return fmt.Errorf("%w is not gRPC's NotFound", err)
	}
	return nil
}

func (asTest) MessageCheck(m *pubsub.Message) error {
	var message *raw.Message
	if !m.As(&message) || message.ID == "" || message.PublishTime.IsZero() {
		return fmt.Errorf("Message.As gave %+v", message)
	}
	return nil
}
