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
	createSource: createKafka, createTopic: createKafka,
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
	return NewSource(gocloudFeed{
		subscription: subscription,
		origin:       kafkaOrigin,
		backlog:      backlogger.Backlog,
		close:        subscription.Shutdown,
	}), nil
}

func kafkaOrigin(m *pubsub.Message) origin {
	var record *kgo.Record
	m.As(&record)
	return origin{id: m.LoggableID, time: calendarTime(record.Timestamp)}
}

// calendarTime returns a time in UTC, or none for what the producer of a record,
// who may choose, has put beyond the calendar.
func calendarTime(t time.Time) time.Time {
	if t = t.UTC(); t.Year() < 1970 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
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

func createKafka(ctx context.Context, url string) error {
	address, err := kafkapubsub.ParseURL(url)
	if err != nil {
		return err
	}
	return kafkapubsub.CreateTopic(ctx, address)
}
