// Package kafkapubsub is a gocloud.dev/pubsub driver for Apache Kafka. It opens
// URLs of the form
//
//	kafka://HOST:PORT,HOST:PORT/TOPIC?group=NAME
//
// The hosts are those that the client asks first; any one of them is enough:
//
//	address, err := kafkapubsub.ParseURL("kafka://127.0.0.1:9092/texts")
//	topic, err := kafkapubsub.OpenTopic(ctx, address)
//	subscription, err := kafkapubsub.OpenSubscription(ctx, address)
//
// The parameters:
//
//   - group: the consumer group, "starling" by default. A new group begins at
//     the oldest message.
//   - session_timeout: how long the partitions of a reader that died wait before
//     others take them over; 10s by default. Brokers allow 6s to 30m unless
//     they are configured otherwise.
//   - partitions: [OpenTopic] makes a topic that is absent with so many
//     partitions. Without the parameter, and for a subscription always, a topic
//     that is absent is an error.
//   - tls=true: TLS, with the authorities that the system trusts, or those of
//     the PEM file that KAFKA_CA_FILE names.
//   - sasl: plain, scram-sha-256 or scram-sha-512. The user is the parameter
//     user or KAFKA_USER; the password is KAFKA_PASSWORD and never in the URL.
//
// # Delivery
//
// Messages are delivered at least once, those of each partition in their order.
// Kafka remembers one offset for each partition and group. The offset that is
// committed is the one past the last message before which all are acknowledged:
// one that is not acknowledged holds it, and so after a crash comes again, with
// those after it. A message that is given back comes again at once, from memory,
// and then out of order.
//
// A partition that the group gives to another reader goes with what is
// acknowledged by then; what was in flight comes again there, and settling it
// here does nothing.
//
// # Attributes and keys
//
// Attributes are record headers. A header that is not text is left out, and of
// several with the same name the last counts. The attribute "id" is sent as the
// record's key too, so that the copies of a message that is published twice are in
// one partition, which the hash of the key chooses as Kafka's own client does. A
// key that is not the id is read as the attribute "key": keys may repeat, so they
// are no ids.
//
// # As
//
//   - Topic: **Topic, **kgo.Client
//   - Subscription: *interface{ StopReceiving() }, *Backlogger
//   - Message, Message.BeforeSend and Message.AfterSend: **kgo.Record
//   - Error: whatever errors.As finds, such as **kerr.Error
package kafkapubsub

import (
	"context"
	"errors"
	"io"
	"net"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"gocloud.dev/gcerrors"
)

// errorCode says which of gocloud's kinds of error err is.
func errorCode(err error) gcerrors.ErrorCode {
	switch {
	case isAny(err, kerr.UnknownTopicOrPartition, kerr.UnknownTopicID):
		return gcerrors.NotFound
	case isAny(err, kerr.MessageTooLarge, kerr.RecordListTooLarge, kerr.InvalidTopicException,
		kerr.InvalidSessionTimeout, kerr.InvalidGroupID, errNotText):
		return gcerrors.InvalidArgument
	case isAny(err, kerr.TopicAuthorizationFailed, kerr.GroupAuthorizationFailed, kerr.ClusterAuthorizationFailed,
		kerr.SaslAuthenticationFailed, kerr.UnsupportedSaslMechanism):
		return gcerrors.PermissionDenied
	case isAny(err, errStopped, errClosed, kgo.ErrClientClosed):
		return gcerrors.FailedPrecondition
	case errors.Is(err, context.Canceled):
		return gcerrors.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return gcerrors.DeadlineExceeded
	}
	return gcerrors.Unknown
}

// isRetryable says whether the same call may succeed later without anyone
// changing anything: the brokers are away, or busy with themselves.
func isRetryable(err error) bool {
	if errorCode(err) != gcerrors.Unknown {
		return false // Kafka calls a topic that is absent retryable
	}
	var network net.Error
	return kerr.IsRetriable(err) || kgo.IsRetryableBrokerErr(err) || errors.As(err, &network) ||
		isAny(err, errSilent, kgo.ErrRecordTimeout, io.EOF, io.ErrUnexpectedEOF)
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

// assign makes an As function that gives value.
func assign[T any](value T) func(any) bool {
	return func(target any) bool {
		p, ok := target.(*T)
		if ok {
			*p = value
		}
		return ok
	}
}
