package broker_test

import (
	"context"
	"fmt"
	"os"

	"starling/broker"
	"starling/broker/embedded"
)

// A text travels through a broker that runs in this process.
func Example() {
	if err := travel(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output: 7f3a: what a lovely morning
}

func travel(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "starling")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	server, err := embedded.Start(dir, "")
	if err != nil {
		return err
	}
	defer server.Shutdown()
	if err := publish(ctx, server.URL("texts")); err != nil {
		return err
	}
	return receive(ctx, server.URL("texts"))
}

func publish(ctx context.Context, url string) error {
	topic, err := broker.OpenTopic(ctx, url)
	if err != nil {
		return err
	}
	err = topic.Publish(ctx, []broker.OutMessage{
		{Body: []byte("what a lovely morning"), Attributes: map[string]string{"id": "7f3a"}},
	})
	if err != nil {
		return err
	}
	return topic.Close(ctx)
}

func receive(ctx context.Context, url string) error {
	source, err := broker.OpenSource(ctx, url, broker.SourceOptions{})
	if err != nil {
		return err
	}
	message, err := source.Receive(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %s\n", message.Attributes["id"], message.Body)
	message.Ack()
	return source.Close(ctx)
}
