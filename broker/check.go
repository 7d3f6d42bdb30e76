package broker

import (
	"context"

	"starling/broker/kafkapubsub"
	"starling/broker/natspubsub"
)

// CheckSource says whether the source of a URL can be opened. It makes and
// changes nothing at the broker, and takes nothing over from a live reader.
func CheckSource(ctx context.Context, url string, options SourceOptions) error {
	scheme, err := find(url)
	if err != nil {
		return err
	}
	if scheme.checkFeed != nil {
		return scheme.checkFeed(ctx, url, options)
	}
	if scheme.checkSource != nil {
		return scheme.checkSource(ctx, url)
	}
	source, err := OpenSource(ctx, url, options)
	if err != nil {
		return err
	}
	return source.Close(ctx)
}

// CheckTopic says whether the topic of a URL can be opened. It makes and changes
// nothing at the broker.
func CheckTopic(ctx context.Context, url string, options TopicOptions) error {
	scheme, err := find(url)
	if err != nil {
		return err
	}
	if scheme.openWebhook != nil {
		return checkWebhook(ctx, url, options)
	}
	if scheme.checkTopic != nil {
		return scheme.checkTopic(ctx, url)
	}
	topic, err := OpenTopic(ctx, url)
	if err != nil {
		return err
	}
	return topic.Close(ctx)
}

func checkNATSSource(ctx context.Context, url string) error {
	address, conn, err := connectNATS(url)
	if err != nil {
		return err
	}
	defer conn.Close()
	return natspubsub.CheckSubscription(ctx, conn, address)
}

func checkNATSTopic(ctx context.Context, url string) error {
	address, conn, err := connectNATS(url)
	if err != nil {
		return err
	}
	defer conn.Close()
	return natspubsub.CheckTopic(ctx, conn, address)
}

func checkKafkaSource(ctx context.Context, url string) error {
	address, err := kafkapubsub.ParseURL(url)
	if err != nil {
		return err
	}
	return kafkapubsub.CheckSubscription(ctx, address)
}

func checkKafkaTopic(ctx context.Context, url string) error {
	address, err := kafkapubsub.ParseURL(url)
	if err != nil {
		return err
	}
	return kafkapubsub.CheckTopic(ctx, address)
}
