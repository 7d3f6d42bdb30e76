package broker

import (
	"context"

	"starling/broker/aws"
	"starling/broker/gcp"
	"starling/broker/kafkapubsub"
)

// CreateSource makes what the URL of a source names where it is absent: with
// Pub/Sub the subscription, its topic and its topic of dead letters, with Kafka
// the topic, with AWS the queue. What exists stays as it is. A NATS stream is made when it is opened.
func CreateSource(ctx context.Context, url string) error {
	scheme, err := find(url)
	if err != nil || scheme.createSource == nil {
		return err
	}
	return scheme.createSource(ctx, url)
}

// CreateTopic makes what the URL of a topic names where it is absent, as
// [CreateSource] does.
func CreateTopic(ctx context.Context, url string) error {
	scheme, err := find(url)
	if err != nil || scheme.createTopic == nil {
		return err
	}
	return scheme.createTopic(ctx, url)
}

// IsMissing says whether err is that something does not exist which
// [CreateSource] or [CreateTopic] would make.
func IsMissing(err error) bool {
	return gcp.IsMissing(err) || kafkapubsub.IsMissing(err) || aws.IsMissing(err)
}
