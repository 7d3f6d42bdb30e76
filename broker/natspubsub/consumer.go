package natspubsub

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// OpenConsumer opens the durable consumer of an address, and makes stream and consumer
// where they are absent, for readers that pull by themselves, many at a time. It takes
// nothing over from others.
func OpenConsumer(ctx context.Context, conn *nats.Conn, a Address) (jetstream.Consumer, error) {
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, fmt.Errorf("opening JetStream: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, setUpTimeout)
	defer cancel()
	stream, err := openStream(ctx, js, a)
	if err != nil {
		return nil, err
	}
	return openConsumer(ctx, stream, a)
}

// Attributes returns the attributes that the headers of a message carry.
func Attributes(header nats.Header) map[string]string { return decodeAttributes(header) }
