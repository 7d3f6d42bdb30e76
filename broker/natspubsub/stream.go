package natspubsub

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// setUpTimeout bounds opening a topic or a subscription on a live connection.
const setUpTimeout = 5 * time.Second

// openStream finds the stream of an address, or makes it: on disk, refusing
// messages when full rather than dropping old ones unread.
func openStream(ctx context.Context, js jetstream.JetStream, a Address) (jetstream.Stream, error) {
	stream, err := findStream(ctx, js, a)
	if err != nil || stream != nil {
		return stream, err
	}
	stream, err = js.CreateStream(ctx, a.streamConfig())
	if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // another process was faster
		return findStream(ctx, js, a)
	}
	if err != nil {
		return nil, a.streamError(err)
	}
	return stream, nil
}

// findStream returns the stream of an address, or nil where there is none.
func findStream(ctx context.Context, js jetstream.JetStream, a Address) (jetstream.Stream, error) {
	stream, err := js.Stream(ctx, a.Stream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, a.streamError(err)
	}
	return stream, nil
}

func (a Address) streamError(err error) error {
	return fmt.Errorf("opening stream %s at %s: %w%s", a.Stream, a.Server, err, setUpHint(err))
}

func (a Address) streamConfig() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: a.Stream, Subjects: []string{a.Stream}, Storage: jetstream.FileStorage,
		Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardNew,
		MaxBytes: a.MaxBytes, MaxAge: a.MaxAge, MaxMsgs: -1, MaxMsgSize: -1,
	}
}

// JetStream's error codes for what a server may lack when it makes something.
const (
	noReserve       jetstream.ErrorCode = 10047 // it cannot promise MaxBytes
	noStreamStore   jetstream.ErrorCode = 10049
	noConsumerStore jetstream.ErrorCode = 10012
)

// setUpHint says what to do when a stream or a consumer cannot be opened.
func setUpHint(err error) string {
	var api *jetstream.APIError
	switch {
	case isAny(err, jetstream.ErrJetStreamNotEnabled, jetstream.ErrJetStreamNotEnabledForAccount, nats.ErrNoResponders):
		return "; JetStream is off there, start the server with `nats-server -js`"
	case !errors.As(err, &api):
		return ""
	case api.ErrorCode == noReserve:
		return "; the server cannot promise max_bytes, add ?max_bytes=N with fewer to the URL"
	case api.ErrorCode == noStreamStore, api.ErrorCode == noConsumerStore:
		return "; the server's log says why, perhaps its disk is full"
	}
	return ""
}

// takesSubject checks that a stream someone else made stores what is published
// to its name.
func takesSubject(stream jetstream.Stream, a Address) error {
	subjects := stream.CachedInfo().Config.Subjects
	if slices.Contains(subjects, a.Stream) || slices.Contains(subjects, "*") || slices.Contains(subjects, ">") {
		return nil
	}
	return fmt.Errorf("opening stream %s at %s: it exists and takes the subjects %q, not %q",
		a.Stream, a.Server, subjects, a.Stream)
}

// openConsumer finds the durable consumer of an address, or makes it.
func openConsumer(ctx context.Context, stream jetstream.Stream, a Address) (jetstream.Consumer, error) {
	consumer, err := stream.Consumer(ctx, a.Consumer)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		consumer, err = stream.CreateConsumer(ctx, a.consumerConfig())
	}
	if err != nil {
		return nil, a.consumerError(err)
	}
	config := consumer.CachedInfo().Config
	if config.AckPolicy != jetstream.AckExplicitPolicy {
		return nil, a.consumerError(errors.New("it exists and does not ask for explicit acknowledgement"))
	}
	return a.adjusted(ctx, stream, consumer)
}

func (a Address) consumerConfig() jetstream.ConsumerConfig {
	return jetstream.ConsumerConfig{
		Durable: a.Consumer, AckPolicy: jetstream.AckExplicitPolicy, DeliverPolicy: jetstream.DeliverAllPolicy,
		AckWait: a.AckWait, MaxAckPending: a.MaxAckPending, MaxDeliver: -1,
	}
}

// adjusted gives a consumer that exists the settings that the URL names.
func (a Address) adjusted(
	ctx context.Context, stream jetstream.Stream, consumer jetstream.Consumer,
) (jetstream.Consumer, error) {
	have := consumer.CachedInfo().Config
	want := have
	if a.set["ack_wait"] {
		want.AckWait = a.AckWait
	}
	if a.set["max_ack_pending"] {
		want.MaxAckPending = a.MaxAckPending
	}
	if want.AckWait == have.AckWait && want.MaxAckPending == have.MaxAckPending {
		return consumer, nil
	}
	consumer, err := stream.UpdateConsumer(ctx, want)
	if err != nil {
		return nil, a.consumerError(err)
	}
	return consumer, nil
}

func (a Address) consumerError(err error) error {
	return fmt.Errorf("opening consumer %s of stream %s at %s: %w%s", a.Consumer, a.Stream, a.Server, err, setUpHint(err))
}

// Backlog returns how many messages the server holds for the consumer of an
// address: those not yet delivered, and those not yet acknowledged.
func Backlog(ctx context.Context, conn *nats.Conn, a Address) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, setUpTimeout)
	defer cancel()
	js, err := jetstream.New(conn)
	if err != nil {
		return 0, a.consumerError(err)
	}
	consumer, err := js.Consumer(ctx, a.Stream, a.Consumer)
	if err != nil {
		return 0, a.consumerError(err)
	}
	info := consumer.CachedInfo()
	return int64(info.NumPending) + int64(info.NumAckPending), nil
}
