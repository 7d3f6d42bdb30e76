package gcp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	raw "cloud.google.com/go/pubsub/v2"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/api/iterator"
)

// A Topic takes messages. Its methods may be called from many goroutines.
type Topic struct {
	client    *raw.Client
	publisher *raw.Publisher
	key       string
}

// OpenTopic opens the existing topic of an address. A topic without a
// subscription, which keeps nothing of what is published to it, is warned of.
func OpenTopic(ctx context.Context, a Address) (*Topic, error) {
	client, err := a.connect(ctx)
	if err != nil {
		return nil, err
	}
	err = lookUpTopic(ctx, client, a.Topic)
	if err != nil && !refused(err) {
		return nil, errors.Join(err, client.Close())
	}
	warnOfNoSubscription(ctx, client, a.Topic)
	t := &Topic{client: client, publisher: client.Publisher(a.Topic), key: a.OrderingKey}
	t.publisher.EnableMessageOrdering = t.key != ""
	return t, nil
}

func lookUpTopic(ctx context.Context, client *raw.Client, path string) error {
	return ask(ctx, "opening", path, func(ctx context.Context) error {
		_, err := client.TopicAdminClient.GetTopic(ctx, &pubsubpb.GetTopicRequest{Topic: path})
		return err
	})
}

// warnOfNoSubscription is silent where the account may not ask.
func warnOfNoSubscription(ctx context.Context, client *raw.Client, topic string) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	names := client.TopicAdminClient.ListTopicSubscriptions(ctx, &pubsubpb.ListTopicSubscriptionsRequest{Topic: topic, PageSize: 1})
	if _, err := names.Next(); errors.Is(err, iterator.Done) {
		slog.Warn("the topic has no subscription: what is published now reaches nobody", "topic", topic)
	}
}

// Publish publishes messages and returns when the service has them all. It keeps
// their order where the address has an ordering key. After an error some may have
// been published.
func (t *Topic) Publish(ctx context.Context, messages []*raw.Message) error {
	results := make([]*raw.PublishResult, len(messages))
	for i, m := range messages {
		m.OrderingKey = t.key
		results[i] = t.publisher.Publish(ctx, m)
	}
	var failed error
	for _, result := range results {
		if _, err := result.Get(ctx); err != nil && failed == nil {
			failed = fmt.Errorf("publishing to %s: %w", t.publisher, err)
		}
	}
	if failed != nil && t.key != "" {
		t.publisher.ResumePublish(t.key) // the client refuses a key after an error until its user knows
	}
	return failed
}

// Close frees the topic.
func (t *Topic) Close() error {
	t.publisher.Stop()
	return t.client.Close()
}
