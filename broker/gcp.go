package broker

import (
	"context"

	raw "cloud.google.com/go/pubsub/v2"
	"gocloud.dev/pubsub"

	"starling/broker/gcp"
)

var gcpScheme = scheme{
	openSource: openGCPSource, openTopic: openGCPTopic,
	createSource: createGCPSource, createTopic: createGCPTopic,
}

func openGCPSource(ctx context.Context, url string, _ SourceOptions) (*Source, error) {
	address, err := gcp.ParseSubscription(url)
	if err != nil {
		return nil, err
	}
	subscription, err := gcp.OpenSubscription(ctx, address)
	if err != nil {
		return nil, err
	}
	return NewSource(gocloudFeed{subscription: subscription, origin: gcpOrigin, close: subscription.Shutdown}), nil
}

func gcpOrigin(m *pubsub.Message) origin {
	var message *raw.Message
	m.As(&message)
	o := origin{id: message.ID, time: message.PublishTime.UTC()}
	if message.DeliveryAttempt != nil {
		o.attempt = *message.DeliveryAttempt
	}
	return o
}

func openGCPTopic(ctx context.Context, url string) (*Topic, error) {
	address, err := gcp.ParseTopic(url)
	if err != nil {
		return nil, err
	}
	topic, err := gcp.OpenTopic(ctx, address)
	if err != nil {
		return nil, err
	}
	return &Topic{
		publish: func(ctx context.Context, messages []OutMessage) error {
			out := make([]*raw.Message, len(messages))
			for i, m := range messages {
				out[i] = &raw.Message{Data: m.Body, Attributes: m.Attributes}
			}
			return topic.Publish(ctx, out)
		},
		close: func(context.Context) error { return topic.Close() },
	}, nil
}

func createGCPSource(ctx context.Context, url string) error {
	address, err := gcp.ParseSubscription(url)
	if err != nil {
		return err
	}
	return gcp.Create(ctx, address)
}

func createGCPTopic(ctx context.Context, url string) error {
	address, err := gcp.ParseTopic(url)
	if err != nil {
		return err
	}
	return gcp.Create(ctx, address)
}
