// Package gcp opens Google Cloud Pub/Sub topics and subscriptions for gocloud's
// pubsub, with the variable PUBSUB_EMULATOR_HOST for an emulator:
//
//	topic, closer, err := gcp.OpenTopic(ctx, "projects/P/topics/T")
//	subscription, closer, err := gcp.OpenSubscription(ctx, "projects/P/subscriptions/S")
//
// The topic is gocloud's gcppubsubv2. The subscription is a driver of our own
// over the same client, because closing that of gcppubsubv2 does not wait for
// the acknowledgements to be sent, and leaves a goroutine behind for each message
// that is not acknowledged.
package gcp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"time"

	raw "cloud.google.com/go/pubsub/v2"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"gocloud.dev/pubsub"
	"gocloud.dev/pubsub/batcher"
	"gocloud.dev/pubsub/gcppubsubv2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	// openTimeout bounds the question whether a topic or subscription is there.
	openTimeout = 5 * time.Second
	service     = "pubsub.googleapis.com:443"
)

// Names hold nothing that a URL would escape, nor an @, which would mean that
// someone put a password before them.
var (
	topicPath        = regexp.MustCompile(`^projects/([\w.:-]+)/topics/([\w.~+%-]+)$`)
	subscriptionPath = regexp.MustCompile(`^projects/([\w.:-]+)/subscriptions/([\w.~+%-]+)$`)
)

var (
	errMalformedTopic        = errors.New("malformed broker URL: want gcppubsub://projects/PROJECT/topics/TOPIC to publish")
	errMalformedSubscription = errors.New("malformed broker URL: " +
		"want gcppubsub://projects/PROJECT/subscriptions/SUBSCRIPTION to receive")
)

// OpenTopic opens an existing topic, projects/P/topics/T. Shut the topic down
// before closing the closer.
func OpenTopic(ctx context.Context, path string) (*pubsub.Topic, io.Closer, error) {
	match := topicPath.FindStringSubmatch(path)
	if match == nil {
		return nil, nil, errMalformedTopic
	}
	client, err := connect(ctx, match[1])
	if err != nil {
		return nil, nil, err
	}
	err = check(ctx, path, func(ctx context.Context) error {
		_, err := client.TopicAdminClient.GetTopic(ctx, &pubsubpb.GetTopicRequest{Topic: path})
		return err
	})
	if err != nil {
		return nil, nil, errors.Join(err, client.Close())
	}
	return gcppubsubv2.OpenTopic(client, match[2], nil), client, nil
}

// OpenSubscription opens an existing subscription, projects/P/subscriptions/S.
// Shut the subscription down before closing the closer.
func OpenSubscription(ctx context.Context, path string) (*pubsub.Subscription, io.Closer, error) {
	match := subscriptionPath.FindStringSubmatch(path)
	if match == nil {
		return nil, nil, errMalformedSubscription
	}
	client, err := connect(ctx, match[1])
	if err != nil {
		return nil, nil, err
	}
	err = check(ctx, path, func(ctx context.Context) error {
		_, err := client.SubscriptionAdminClient.GetSubscription(ctx,
			&pubsubpb.GetSubscriptionRequest{Subscription: path})
		return err
	})
	if err != nil {
		return nil, nil, errors.Join(err, client.Close())
	}
	s := newSubscription(client.Subscriber(match[2]))
	return pubsub.NewSubscription(s, &batcher.Options{MaxHandlers: 1}, &batcher.Options{MaxHandlers: 1}), client, nil
}

func connect(ctx context.Context, project string) (*raw.Client, error) {
	client, err := raw.NewClient(ctx, project)
	if err != nil {
		return nil, fmt.Errorf("connecting to Pub/Sub at %s: %w", endpoint(), err)
	}
	return client, nil
}

// check asks whether path exists. Who may use it may not always ask that, so a
// refusal counts as yes.
func check(ctx context.Context, path string, get func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	err := get(ctx)
	code := status.Code(err)
	if errors.Is(err, context.DeadlineExceeded) { // the client was still trying
		code = codes.DeadlineExceeded
	}
	hint := ""
	switch code {
	case codes.OK, codes.PermissionDenied:
		return nil
	case codes.NotFound:
		hint = "; make it first, with `gcloud pubsub` or the emulator's API"
	case codes.DeadlineExceeded, codes.Unavailable:
		hint = "; is it running, and is PUBSUB_EMULATOR_HOST right?"
	}
	return fmt.Errorf("opening %s at %s: %w%s", path, endpoint(), err, hint)
}

func endpoint() string {
	if host := os.Getenv("PUBSUB_EMULATOR_HOST"); host != "" {
		return host
	}
	return service
}
