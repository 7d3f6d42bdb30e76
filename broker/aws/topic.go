package aws

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/sns"
	"gocloud.dev/pubsub"
	"gocloud.dev/pubsub/awssnssqs"
	"gocloud.dev/pubsub/batcher"
)

const (
	// smallBytes is the most that a message may have to share a request: ten of
	// them, in base64 and with their attributes, are within the 256 KiB that AWS
	// takes.
	smallBytes = 14 << 10
	maxSends   = 16
)

// A Topic publishes to a topic or a queue.
//
// What is small goes in batches and what is large alone, because gocloud 0.47's
// own bound on the bytes of a batch must stay unset: with one, a batcher that is
// shut down while its last batch returns sends empty batches for ever.
type Topic struct{ small, large *pubsub.Topic }

// OpenTopic opens an existing topic, or an existing queue, to publish to it.
func OpenTopic(ctx context.Context, a Address) (*Topic, error) {
	open, err := a.opener(ctx)
	if err != nil {
		return nil, err
	}
	return &Topic{
		small: open(batcher.Options{MaxHandlers: maxSends}), // of the driver's batches, 10 messages
		large: open(batcher.Options{MaxHandlers: maxSends, MaxBatchSize: 1}),
	}, nil
}

// opener looks for what an address names, and returns what opens it.
func (a Address) opener(ctx context.Context) (func(batcher.Options) *pubsub.Topic, error) {
	if a.Queue != "" {
		q, err := a.find(ctx)
		if err != nil {
			return nil, err
		}
		return func(o batcher.Options) *pubsub.Topic {
			return awssnssqs.OpenSQSTopic(ctx, q.client, q.url, &awssnssqs.TopicOptions{BatcherOptions: o})
		}, nil
	}
	client, err := a.sns(ctx)
	if err != nil {
		return nil, err
	}
	err = ask(ctx, "opening", a.TopicARN, func(ctx context.Context) error {
		_, err := client.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: &a.TopicARN})
		return err
	})
	if err != nil && !isAny(err, forbidden) {
		return nil, err
	}
	return func(o batcher.Options) *pubsub.Topic {
		return awssnssqs.OpenSNSTopic(ctx, client, a.TopicARN, &awssnssqs.TopicOptions{BatcherOptions: o})
	}, nil
}

// Send publishes a message and returns when AWS has it. What is sent at the same
// time shares requests.
func (t *Topic) Send(ctx context.Context, m *pubsub.Message) error {
	size := len(m.Body)
	for name, value := range m.Metadata {
		size += len(name) + len(value)
	}
	if size > smallBytes {
		return t.large.Send(ctx, m)
	}
	return t.small.Send(ctx, m)
}

// Shutdown frees the topic.
func (t *Topic) Shutdown(ctx context.Context) error {
	return errors.Join(t.small.Shutdown(ctx), t.large.Shutdown(ctx))
}

// CreateTopic makes the topic or the queue of an address where it is absent.
func CreateTopic(ctx context.Context, a Address) error {
	if a.Queue != "" {
		return CreateQueue(ctx, a)
	}
	client, err := a.sns(ctx)
	if err != nil {
		return err
	}
	name := topicARN.FindStringSubmatch(a.TopicARN)[2]
	return ask(ctx, "creating", a.TopicARN, func(ctx context.Context) error {
		_, err := client.CreateTopic(ctx, &sns.CreateTopicInput{Name: &name})
		return err
	})
}
