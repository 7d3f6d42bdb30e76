package broker

import (
	"context"
	"errors"
	"strings"
	"time"

	raw "cloud.google.com/go/pubsub/v2"
	"gocloud.dev/pubsub"

	"starling/broker/gcp"
)

func openGCPSource(ctx context.Context, url string, _ SourceOptions) (*Source, error) {
	subscription, client, err := gcp.OpenSubscription(ctx, gcpPath(url))
	if err != nil {
		return nil, err
	}
	return &Source{
		subscription: subscription,
		origin: func(m *pubsub.Message) (string, time.Time) {
			var message *raw.Message
			m.As(&message)
			return message.ID, message.PublishTime.UTC()
		},
		close: func(ctx context.Context) error {
			return errors.Join(subscription.Shutdown(ctx), client.Close())
		},
	}, nil
}

func openGCPTopic(ctx context.Context, url string) (*Topic, error) {
	topic, client, err := gcp.OpenTopic(ctx, gcpPath(url))
	if err != nil {
		return nil, err
	}
	var publisher *raw.Publisher
	topic.As(&publisher)
	return &Topic{
		publish: func(ctx context.Context, messages []OutMessage) error {
			return publishGCP(ctx, publisher, messages)
		},
		close: func(ctx context.Context) error {
			err := topic.Shutdown(ctx)
			publisher.Stop()
			return errors.Join(err, client.Close())
		},
	}, nil
}

// publishGCP hands all messages to the client, which sends them in batches, and
// waits for the answers. Pub/Sub itself keeps no order.
func publishGCP(ctx context.Context, publisher *raw.Publisher, messages []OutMessage) error {
	results := make([]*raw.PublishResult, len(messages))
	for i, m := range messages {
		results[i] = publisher.Publish(ctx, &raw.Message{Data: m.Body, Attributes: m.Attributes})
	}
	var failed error
	for _, result := range results {
		if _, err := result.Get(ctx); err != nil && failed == nil {
			failed = err
		}
	}
	return failed
}

func gcpPath(url string) string { return strings.TrimPrefix(url, "gcppubsub://") }
