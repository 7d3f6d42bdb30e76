// Package gcp publishes to and receives from Google Cloud Pub/Sub, with
// application default credentials, or from the emulator that the variable
// PUBSUB_EMULATOR_HOST names:
//
//	address, err := gcp.ParseSubscription("gcppubsub://projects/P/subscriptions/S")
//	subscription, err := gcp.OpenSubscription(ctx, address)
//	topic, err := gcp.OpenTopic(ctx, address)
//
// Nothing is made but by [Create].
//
// The subscription is a driver of gocloud's pubsub over the service's client.
// gocloud's own, gcppubsubv2, does not hear which acknowledgements the service
// refuses, keeps a goroutine for each message held, does not wait for the
// acknowledgements when it closes, and has a message with an ordering key wait
// until the one before it is acknowledged, so that a batch never holds two.
//
// # Delivery
//
// The lease of a message is renewed for as long as its reader lives and holds it.
// With an ordering key, messages come in their order. When the service refuses
// an acknowledgement, which only a subscription with exactly-once delivery says,
// that is logged and the message comes again; it counts as held until the service
// has confirmed.
//
// A message that is given back, or held by a reader that ends, counts as an
// attempt to deliver it. Where the subscription has a dead-letter topic, a message
// that a reader held each of the times it was stopped goes there unprocessed.
package gcp

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	raw "cloud.google.com/go/pubsub/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	// openTimeout bounds the question whether a topic or subscription is there.
	openTimeout = 5 * time.Second
	service     = "pubsub.googleapis.com:443"
)

// connect makes a client, which connects when it is first used.
func (a Address) connect(ctx context.Context) (*raw.Client, error) {
	client, err := raw.NewClient(ctx, a.Project)
	if err != nil {
		return nil, fmt.Errorf("connecting to Pub/Sub at %s: %w%s", endpoint(), err, credentialsHint(err))
	}
	return client, nil
}

// credentialsHint says what to do about a client that could not be made, for
// which there is hardly another reason.
func credentialsHint(err error) string {
	if os.Getenv("PUBSUB_EMULATOR_HOST") != "" || errors.Is(err, context.Canceled) {
		return ""
	}
	return "; application default credentials come from `gcloud auth application-default login`, " +
		"the machine's service account or GOOGLE_APPLICATION_CREDENTIALS; PUBSUB_EMULATOR_HOST names an emulator"
}

// ask asks the service about path, within openTimeout.
func ask(ctx context.Context, doing, path string, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	err := ask(ctx)
	if err == nil {
		return nil
	}
	code := status.Code(err)
	if errors.Is(err, context.DeadlineExceeded) { // the client was still trying
		code = codes.DeadlineExceeded
	}
	return &Error{Code: code, text: fmt.Sprintf("%s %s at %s: %v%s", doing, path, endpoint(), err, hint(code)), err: err}
}

// An Error is what the service, or the way to it, has to say about a topic or a
// subscription.
type Error struct {
	// Code is gRPC's.
	Code codes.Code
	text string
	err  error
}

func (e *Error) Error() string { return e.text }

// Unwrap returns the client's error.
func (e *Error) Unwrap() error { return e.err }

// hint says what to do.
func hint(code codes.Code) string {
	switch code {
	case codes.NotFound:
		return "; --create makes it"
	case codes.PermissionDenied:
		return "; the account lacks the role for it: roles/pubsub.publisher, subscriber, and editor to create"
	case codes.Unauthenticated:
		return "; application default credentials come from `gcloud auth application-default login`"
	case codes.DeadlineExceeded, codes.Unavailable:
		return "; is it running, and is PUBSUB_EMULATOR_HOST right?"
	}
	return ""
}

// refused says whether err is only that the account may not ask, which who may
// publish or receive need not.
func refused(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == codes.PermissionDenied
}

// IsMissing says whether err is that a topic or a subscription does not exist.
func IsMissing(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == codes.NotFound
}

func endpoint() string {
	if host := os.Getenv("PUBSUB_EMULATOR_HOST"); host != "" {
		return host
	}
	return service
}
