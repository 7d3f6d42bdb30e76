// Package natspubsub is a gocloud.dev/pubsub driver for NATS JetStream. It
// opens URLs of the form
//
//	nats://HOST:PORT/NAME?consumer=NAME&ack_wait=DURATION
//
// NAME is both a stream and the one subject in it. The stream is made when it
// is absent, and so is the durable pull consumer that a subscription reads
// through:
//
//	address, err := natspubsub.ParseURL("nats://127.0.0.1:4222/texts")
//	conn, err := natspubsub.Connect(address)
//	topic, err := natspubsub.OpenTopic(ctx, conn, address)
//	subscription, err := natspubsub.OpenSubscription(ctx, conn, address)
//
// # Delivery
//
// Messages are delivered at least once and acknowledged one by one. A
// subscription that is the only reader of its consumer receives in stream
// order, and the order holds across a crash: when the last reader died with
// messages delivered and not acknowledged, opening the subscription returns
// the consumer to its acknowledgement floor, so that they come again at once
// and in order. A few that were acknowledged beyond the floor then come again
// too, and the receiver must know them by an id of its own. While another
// reader lives its consumer is left alone. Two processes that open the same
// consumer in the same few milliseconds may both think themselves alone.
//
// A message that is held longer than the ack wait is not redelivered as long
// as its reader lives: the subscription renews the lease of everything that
// it has received and that is not acknowledged.
//
// # As
//
//   - Topic: **Topic, *jetstream.JetStream
//   - Subscription: *interface{ StopReceiving() }, and once it has received
//     *jetstream.Consumer
//   - Message: *jetstream.MsgMetadata
//   - Message.BeforeSend: **nats.Msg
//   - Message.AfterSend: **jetstream.PubAck
//   - Error: whatever errors.As finds, such as **jetstream.APIError
package natspubsub

import (
	"errors"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"gocloud.dev/gcerrors"
)

// notStored is JetStream's error code for a message that could not be stored.
const notStored jetstream.ErrorCode = 10077

// errorCode says which of gocloud's kinds of error err is.
func errorCode(err error) gcerrors.ErrorCode {
	var api *jetstream.APIError
	switch {
	case isAny(err, jetstream.ErrStreamNotFound, jetstream.ErrConsumerNotFound, jetstream.ErrConsumerDeleted,
		jetstream.ErrNoStreamResponse, nats.ErrNoResponders):
		return gcerrors.NotFound
	case isAny(err, nats.ErrMaxPayload, nats.ErrBadSubject, errNotText):
		return gcerrors.InvalidArgument
	case isAny(err, nats.ErrAuthorization, nats.ErrPermissionViolation):
		return gcerrors.PermissionDenied
	case isAny(err, errStopped, nats.ErrConnectionClosed, jetstream.ErrConnectionClosed):
		return gcerrors.FailedPrecondition
	case errors.As(err, &api) && api.ErrorCode == notStored && strings.HasPrefix(api.Description, "maximum "):
		return gcerrors.ResourceExhausted // the stream has its maximum of bytes or messages and refuses new ones
	}
	return gcerrors.Unknown
}

// isRetryable says whether the same call may succeed later without anyone
// changing anything: the connection is away, or the server was slow.
func isRetryable(err error) bool {
	return isAny(err, nats.ErrDisconnected, nats.ErrReconnectBufExceeded, nats.ErrConnectionReconnecting,
		nats.ErrTimeout, nats.ErrStaleConnection, jetstream.ErrAsyncPublishTimeout, jetstream.ErrTooManyStalledMsgs)
}

func isAny(err error, targets ...error) bool {
	for _, target := range targets {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

// errorAs implements ErrorAs for topics and subscriptions.
func errorAs(err error, target any) bool { return errors.As(err, target) }
