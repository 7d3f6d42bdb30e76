package natspubsub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// deathNotice is how long to wait for the server to notice that the last
	// reader's connection is gone. A killed process is noticed within
	// milliseconds; a machine that lost power is not, and then the ack wait
	// brings its messages back.
	deathNotice = time.Second
	// greeting is how long a live reader may take to answer.
	greeting = 250 * time.Millisecond
)

// presence is the subject on which a live reader of the consumer answers.
func (a Address) presence() string { return "starling.reader." + a.Stream + "." + a.Consumer }

// answerPresence lets other processes see that the consumer has a reader, until
// conn closes or the subscription it returns ends.
func answerPresence(conn *nats.Conn, a Address) (*nats.Subscription, error) {
	return conn.Subscribe(a.presence(), func(m *nats.Msg) { _ = m.Respond(nil) })
}

// takeOver returns the consumer to its acknowledgement floor when messages were
// delivered and not acknowledged and nobody lives who could acknowledge them.
func takeOver(
	ctx context.Context, conn *nats.Conn, js jetstream.JetStream, stream jetstream.Stream,
	consumer jetstream.Consumer, a Address,
) error {
	abandoned, err := isAbandoned(ctx, conn, consumer, a)
	if err != nil {
		return a.consumerError(err)
	}
	if abandoned == 0 {
		return nil
	}
	if err := rewind(ctx, conn, js, stream, consumer, a); err != nil {
		return fmt.Errorf("returning consumer %s of stream %s to its acknowledgement floor: %w",
			a.Consumer, a.Stream, err)
	}
	slog.Info("the last reader left messages unacknowledged; they come again",
		"stream", a.Stream, "consumer", a.Consumer, "messages", abandoned)
	return nil
}

// isAbandoned counts the messages that wait for the acknowledgement of a reader
// that is gone; 0 when there are none or a reader lives.
func isAbandoned(ctx context.Context, conn *nats.Conn, consumer jetstream.Consumer, a Address) (int, error) {
	deadline := time.Now().Add(deathNotice)
	for {
		info, err := consumer.Info(ctx)
		if err != nil || info.NumAckPending == 0 {
			return 0, err
		}
		_, err = conn.Request(a.presence(), nil, greeting)
		if err == nil {
			return 0, nil
		}
		if errors.Is(err, nats.ErrNoResponders) && info.NumWaiting == 0 {
			return info.NumAckPending, nil
		}
		if time.Now().After(deadline) {
			return 0, nil
		}
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return 0, err
		}
	}
}

// rewind makes the consumer deliver from its acknowledgement floor. Servers
// from 2.14 do it in one step. Before, the consumer is deleted and made again,
// only where that deletes no messages; a crash between the two steps makes the
// next reader start at the beginning of the stream.
func rewind(
	ctx context.Context, conn *nats.Conn, js jetstream.JetStream, stream jetstream.Stream,
	consumer jetstream.Consumer, a Address,
) error {
	if canReset(conn.ConnectedServerVersion()) {
		_, err := js.ResetConsumer(ctx, a.Stream, a.Consumer)
		return err
	}
	if stream.CachedInfo().Config.Retention != jetstream.LimitsPolicy {
		return nil
	}
	info, err := consumer.Info(ctx)
	if err != nil {
		return err
	}
	config := info.Config
	config.DeliverPolicy = jetstream.DeliverByStartSequencePolicy
	config.OptStartSeq = info.AckFloor.Stream + 1
	config.OptStartTime = nil
	if err := stream.DeleteConsumer(ctx, a.Consumer); err != nil {
		return err
	}
	_, err = stream.CreateConsumer(ctx, config)
	return err
}

// canReset says whether a server of that version knows CONSUMER.RESET.
func canReset(version string) bool {
	var major, minor int
	if _, err := fmt.Sscanf(version, "%d.%d", &major, &minor); err != nil {
		return false
	}
	return major > 2 || major == 2 && minor >= 14
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
