package broker

import (
	"context"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"gocloud.dev/pubsub"
	"gocloud.dev/pubsub/driver"

	"starling/broker/embedded"
	"starling/broker/natspubsub"
)

var natsScheme = scheme{
	openSource: openNATSSource, openTopic: openNATSTopic,
	checkSource: checkNATSSource, checkTopic: checkNATSTopic,
}

func openNATSSource(ctx context.Context, url string, options SourceOptions) (*Source, error) {
	address, conn, err := connectNATS(url)
	if err != nil {
		return nil, err
	}
	if options.Consumer != "" {
		if err := address.DefaultConsumer(options.Consumer); err != nil {
			conn.Close()
			return nil, err
		}
	}
	subscription, err := natspubsub.OpenSubscription(ctx, conn, address)
	if err != nil {
		conn.Close()
		return nil, err
	}
	return NewSource(gocloudFeed{
		subscription: subscription,
		origin:       natsOrigin,
		backlog: func(ctx context.Context) (int64, error) {
			return natspubsub.Backlog(ctx, conn, address)
		},
		close: func(ctx context.Context) error {
			defer conn.Close()
			return subscription.Shutdown(ctx)
		},
	}), nil
}

func natsOrigin(m *pubsub.Message) origin {
	var metadata *jetstream.MsgMetadata
	m.As(&metadata)
	return origin{id: m.LoggableID, time: metadata.Timestamp.UTC(), attempt: int(metadata.NumDelivered)}
}

func openNATSTopic(ctx context.Context, url string) (*Topic, error) {
	address, conn, err := connectNATS(url)
	if err != nil {
		return nil, err
	}
	topic, err := natspubsub.OpenTopic(ctx, conn, address)
	if err != nil {
		conn.Close()
		return nil, err
	}
	var direct *natspubsub.Topic
	topic.As(&direct)
	return &Topic{
		publish: func(ctx context.Context, messages []OutMessage) error {
			return direct.Publish(ctx, driverMessages(messages))
		},
		close: func(ctx context.Context) error {
			defer conn.Close()
			return topic.Shutdown(ctx)
		},
	}, nil
}

func driverMessages(messages []OutMessage) []*driver.Message {
	out := make([]*driver.Message, len(messages))
	for i, m := range messages {
		out[i] = &driver.Message{Body: m.Body, Metadata: m.Attributes}
	}
	return out
}

// connectNATS connects to the server that url names, which may be one that only
// this process can reach.
func connectNATS(url string) (natspubsub.Address, *nats.Conn, error) {
	address, err := natspubsub.ParseURL(url)
	if err != nil {
		return address, nil, err
	}
	conn, err := natspubsub.Connect(address, nats.InProcessServer(embedded.InProcess(address.Server)))
	return address, conn, err
}
