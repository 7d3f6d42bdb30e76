package broker

import (
	"context"

	"starling/broker/webhook"
)

// ErrRefused says that a topic will not take messages, however often they are
// published. Only webhooks say so.
var ErrRefused = webhook.ErrRefused

func openWebhook(text string, options TopicOptions) (*webhook.Topic, error) {
	return webhook.Open(webhook.Config{URL: text, HeaderFile: options.HeaderFile})
}

func openWebhookTopic(_ context.Context, text string, options TopicOptions) (*Topic, error) {
	topic, err := openWebhook(text, options)
	if err != nil {
		return nil, err
	}
	return &Topic{
		publish: func(ctx context.Context, messages []OutMessage) error {
			out := make([]webhook.Message, len(messages))
			for i, m := range messages {
				out[i] = webhook.Message(m)
			}
			return topic.Publish(ctx, out)
		},
		close: func(context.Context) error {
			topic.Close()
			return nil
		},
	}, nil
}

func checkWebhook(ctx context.Context, text string, options TopicOptions) error {
	topic, err := openWebhook(text, options)
	if err != nil {
		return err
	}
	defer topic.Close()
	return topic.Check(ctx)
}
