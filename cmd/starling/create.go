package main

import (
	"context"

	"starling/broker"
)

// createFlag is embedded by commands that open brokers.
type createFlag struct {
	Create bool `help:"Make what the URLs name where it is absent: topics and subscriptions of Pub/Sub, topics of Kafka, queues and topics of AWS. Streams of NATS are made anyway."`
}

// createSource makes the source of a URL if the flag is set.
func (f createFlag) createSource(ctx context.Context, url string) error {
	if !f.Create {
		return nil
	}
	return broker.CreateSource(ctx, url)
}

// createTopic makes the topic of a URL, if there is one and the flag is set.
func (f createFlag) createTopic(ctx context.Context, url string) error {
	if !f.Create || url == "" {
		return nil
	}
	return broker.CreateTopic(ctx, url)
}

// checked says what a check of a URL came to: what is missing is no failure where
// it would be made.
func (f createFlag) checked(url string, err error) (detail string, failure error) {
	detail = broker.Redact(url)
	if f.Create && broker.IsMissing(err) {
		return detail + ", would be made", nil
	}
	return detail, err
}
