package broker

import (
	"context"
	"fmt"

	"gocloud.dev/pubsub"
	"golang.org/x/sync/errgroup"

	"starling/broker/aws"
)

// A Topic takes messages. Its methods may be called from many goroutines.
type Topic struct {
	publish func(context.Context, []OutMessage) error
	close   func(context.Context) error
}

// TopicOptions says how a topic is opened.
type TopicOptions struct {
	// HeaderFile holds the header fields that a webhook gets with every request;
	// see [webhook.Config].
	HeaderFile string
}

// OpenTopic opens a topic by URL. A broker that cannot be reached is an error
// within a few seconds; a webhook is first reached when something is published.
func OpenTopic(ctx context.Context, url string) (*Topic, error) {
	return OpenTopicWith(ctx, url, TopicOptions{})
}

// OpenTopicWith opens a topic by URL, as [OpenTopic] does, with options.
func OpenTopicWith(ctx context.Context, url string, options TopicOptions) (*Topic, error) {
	scheme, err := find(url)
	if err != nil {
		return nil, err
	}
	if scheme.openWebhook != nil {
		return scheme.openWebhook(ctx, url, options)
	}
	return scheme.openTopic(ctx, url)
}

// Publish publishes messages in their order and returns when the broker has them
// all. While a NATS server or all Kafka brokers are away it waits for them until
// ctx is done; a NATS server that is there and stores nothing, for its disk is
// full, is an error after 20 s. After an error, or a loss of the connection, some
// may have been published, and those that are published again come twice. An error
// that is [ErrRefused] will not pass.
func (t *Topic) Publish(ctx context.Context, messages []OutMessage) error {
	if err := t.publish(ctx, messages); err != nil {
		return fmt.Errorf("publishing: %w", err)
	}
	return nil
}

// Close frees the topic.
func (t *Topic) Close(ctx context.Context) error { return t.close(ctx) }

// unordered publishes in no order: the topic makes batches of what is sent at the
// same time.
func unordered(topic *aws.Topic) *Topic {
	const atATime = 200
	return &Topic{
		publish: func(ctx context.Context, messages []OutMessage) error {
			sending, ctx := errgroup.WithContext(ctx)
			sending.SetLimit(atATime)
			for _, m := range messages {
				sending.Go(func() error {
					return topic.Send(ctx, &pubsub.Message{Body: m.Body, Metadata: m.Attributes})
				})
			}
			return sending.Wait()
		},
		close: topic.Shutdown,
	}
}
