package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/sns"
	"gocloud.dev/pubsub"
	"gocloud.dev/pubsub/awssnssqs"
	"gocloud.dev/pubsub/batcher"
)

var topicOptions = &awssnssqs.TopicOptions{BatcherOptions: batcher.Options{MaxBatchByteSize: batchBytes, MaxHandlers: 16}}

// OpenTopic opens an existing topic, or an existing queue, to publish to it.
func OpenTopic(ctx context.Context, a Address) (*pubsub.Topic, error) {
	if a.Queue != "" {
		q, err := a.find(ctx)
		if err != nil {
			return nil, err
		}
		return awssnssqs.OpenSQSTopic(ctx, q.client, q.url, topicOptions), nil
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
	return awssnssqs.OpenSNSTopic(ctx, client, a.TopicARN, topicOptions), nil
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
