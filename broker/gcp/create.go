package gcp

import (
	"context"
	"errors"
	"fmt"

	raw "cloud.google.com/go/pubsub/v2"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/grpc/codes"
)

// Create makes the topic and the subscription of an address where they do not
// exist, and the topic for dead letters. What exists stays as it is; a
// subscription of another topic than the address names is an error, and so is an
// absent one where the address names no topic.
func Create(ctx context.Context, a Address) (err error) {
	client, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	for _, topic := range []string{a.Topic, a.DeadLetterTopic} {
		if topic == "" {
			continue
		}
		if err := createTopic(ctx, client, topic); err != nil {
			return err
		}
	}
	if a.Subscription == "" {
		return nil
	}
	return createSubscription(ctx, client, a)
}

func createTopic(ctx context.Context, client *raw.Client, path string) error {
	err := ask(ctx, "creating", path, func(ctx context.Context) error {
		_, err := client.TopicAdminClient.CreateTopic(ctx, &pubsubpb.Topic{Name: path})
		return err
	})
	return unlessThere(err)
}

func unlessThere(err error) error {
	var e *Error
	if errors.As(err, &e) && e.Code == codes.AlreadyExists {
		return nil
	}
	return err
}

func createSubscription(ctx context.Context, client *raw.Client, a Address) error {
	existing, err := lookUpSubscription(ctx, client, a.Subscription)
	switch {
	case err == nil && a.Topic != "" && existing.GetTopic() != a.Topic:
		return fmt.Errorf("creating %s at %s: it exists, and is a subscription of %s, not of %s",
			a.Subscription, endpoint(), existing.GetTopic(), a.Topic)
	case !IsMissing(err):
		return err
	case a.Topic == "":
		return fmt.Errorf("creating %s at %s: it does not exist; add ?topic=TOPIC to the URL to say which topic it is of",
			a.Subscription, endpoint())
	}
	err = ask(ctx, "creating", a.Subscription, func(ctx context.Context) error {
		_, err := client.SubscriptionAdminClient.CreateSubscription(ctx, a.subscription())
		return err
	})
	return unlessThere(err)
}

// subscription is what Create makes. The service would delete it after 31 days
// without a reader.
func (a Address) subscription() *pubsubpb.Subscription {
	s := &pubsubpb.Subscription{
		Name: a.Subscription, Topic: a.Topic,
		AckDeadlineSeconds:        int32(a.AckDeadline.Seconds()),
		EnableMessageOrdering:     a.Ordered,
		EnableExactlyOnceDelivery: a.ExactlyOnce,
		ExpirationPolicy:          &pubsubpb.ExpirationPolicy{},
	}
	if a.DeadLetterTopic != "" {
		s.DeadLetterPolicy = &pubsubpb.DeadLetterPolicy{
			DeadLetterTopic: a.DeadLetterTopic, MaxDeliveryAttempts: int32(a.MaxAttempts),
		}
	}
	return s
}

func lookUpSubscription(ctx context.Context, client *raw.Client, path string) (found *pubsubpb.Subscription, err error) {
	err = ask(ctx, "opening", path, func(ctx context.Context) (err error) {
		found, err = client.SubscriptionAdminClient.GetSubscription(ctx, &pubsubpb.GetSubscriptionRequest{Subscription: path})
		return err
	})
	return found, err
}
