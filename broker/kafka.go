package broker

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"gocloud.dev/pubsub"

	"starling/broker/kafkapubsub"
)

var kafkaScheme = scheme{
	openSource: openKafkaSource, openTopic: openKafkaTopic,
	checkSource: checkKafkaSource, checkTopic: checkKafkaTopic,
}

func openKafkaSource(ctx context.Context, url string, options SourceOptions) (*Source, error) {
	address, err := kafkapubsub.ParseURL(url)
	if err != nil {
		return nil, err
	}
	if options.Consumer != "" {
		if err := address.DefaultGroup(options.Consumer); err != nil {
			return nil, err
		}
	}
	subscription, err := kafkapubsub.OpenSubscription(ctx, address)
	if err != nil {
		return nil, err
	}
	var backlogger *kafkapubsub.Backlogger
	subscription.As(&backlogger)
	return &Source{
		subscription: subscription,
		origin:       kafkaOrigin,
		backlog:      backlogger.Backlog,
		close:        subscription.Shutdown,
	}, nil
}

// kafkaOrigin gives a message no time when its record's, which its producer may
// have chosen, is none that a person lives in.
func kafkaOrigin(m *pubsub.Message) (string, time.Time) {
	var record *kgo.Record
	m.As(&record)
	published := record.Timestamp.UTC()
	if year := published.Year(); year < 1970 || year > 9999 {
		return m.LoggableID, time.Time{}
	}
	return m.LoggableID, published
}

func openKafkaTopic(ctx context.Context, url string) (*Topic, error) {
	address, err := kafkapubsub.ParseURL(url)
	if err != nil {
		return nil, err
	}
	topic, err := kafkapubsub.OpenTopic(ctx, address)
	if err != nil {
		return nil, err
	}
	var direct *kafkapubsub.Topic
	topic.As(&direct)
	return &Topic{
		publish: func(ctx context.Context, messages []OutMessage) error {
			return direct.Publish(ctx, driverMessages(messages))
		},
		close: topic.Shutdown,
	}, nil
}
