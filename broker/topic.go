package broker

import (
	"context"
	"fmt"
)

// A Topic takes messages. Its methods may be called from many goroutines.
type Topic struct {
	publish func(context.Context, []OutMessage) error
	close   func(context.Context) error
}

// OpenTopic opens a topic by URL. A broker that cannot be reached is an error
// within a few seconds.
func OpenTopic(ctx context.Context, url string) (*Topic, error) {
	scheme, err := find(url)
	if err != nil {
		return nil, err
	}
	return scheme.openTopic(ctx, url)
}

// Publish publishes messages in their order and returns when the broker has them
// all. While a NATS server or all Kafka brokers are away it waits for them until
// ctx is done; a NATS server that is there and stores nothing, for its disk is full, is an error after 20 s. After an
// error, or a loss of the connection, some may have been published, and those
// that are published again come twice.
func (t *Topic) Publish(ctx context.Context, messages []OutMessage) error {
	if err := t.publish(ctx, messages); err != nil {
		return fmt.Errorf("publishing: %w", err)
	}
	return nil
}

// Close frees the topic.
func (t *Topic) Close(ctx context.Context) error { return t.close(ctx) }
