package natspubsub

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// CheckSubscription says whether [OpenSubscription] would find or could make
// the stream of an address, and makes nothing.
func CheckSubscription(ctx context.Context, conn *nats.Conn, a Address) error {
	_, err := lookUpStream(ctx, conn, a)
	return err
}

// CheckTopic says whether [OpenTopic] would find or could make the stream of an
// address, and makes nothing.
func CheckTopic(ctx context.Context, conn *nats.Conn, a Address) error {
	stream, err := lookUpStream(ctx, conn, a)
	if err != nil || stream == nil {
		return err
	}
	return takesSubject(stream, a)
}

// lookUpStream is findStream on a connection.
func lookUpStream(ctx context.Context, conn *nats.Conn, a Address) (jetstream.Stream, error) {
	ctx, cancel := context.WithTimeout(ctx, setUpTimeout)
	defer cancel()
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, fmt.Errorf("opening JetStream: %w", err)
	}
	return findStream(ctx, js, a)
}
