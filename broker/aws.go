package broker

import (
	"context"

	"gocloud.dev/pubsub"

	"starling/broker/aws"
)

var (
	sqsScheme = scheme{
		openSource: openSQSSource, openTopic: openAWSTopic(aws.ParseQueue),
		createSource: createAWS(aws.ParseQueue), createTopic: createAWS(aws.ParseQueue),
	}
	snsScheme = scheme{
		openSource: openSNSSource, openTopic: openAWSTopic(aws.ParseTopic),
		createTopic: createAWS(aws.ParseTopic),
	}
)

func openSQSSource(ctx context.Context, url string, _ SourceOptions) (*Source, error) {
	address, err := aws.ParseQueue(url)
	if err != nil {
		return nil, err
	}
	queue, err := aws.OpenQueue(ctx, address)
	if err != nil {
		return nil, err
	}
	return NewSource(gocloudFeed{
		subscription: queue.Subscription,
		origin: func(m *pubsub.Message) origin {
			sent, attempt := aws.Origin(m)
			return origin{id: m.LoggableID, time: sent, attempt: attempt}
		},
		backlog: queue.Backlog,
		leases:  keepLeases(queue.Visibility, queue.Renew),
		close:   queue.Subscription.Shutdown,
	}), nil
}

// openSNSSource says what to do: a topic of SNS has no readers of its own.
func openSNSSource(context.Context, string, SourceOptions) (*Source, error) { return nil, errNoSource }

func openAWSTopic(parse func(string) (aws.Address, error)) func(context.Context, string) (*Topic, error) {
	return func(ctx context.Context, url string) (*Topic, error) {
		address, err := parse(url)
		if err != nil {
			return nil, err
		}
		topic, err := aws.OpenTopic(ctx, address)
		if err != nil {
			return nil, err
		}
		return unordered(topic), nil
	}
}

func createAWS(parse func(string) (aws.Address, error)) func(context.Context, string) error {
	return func(ctx context.Context, url string) error {
		address, err := parse(url)
		if err != nil {
			return err
		}
		return aws.CreateTopic(ctx, address)
	}
}
