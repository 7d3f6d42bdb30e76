package beam

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"time"

	pubsub "cloud.google.com/go/pubsub/v2"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// subscriptionPath and topicPath are the names that Pub/Sub gives.
var (
	subscriptionPath = regexp.MustCompile(`^projects/([\w.:-]+)/subscriptions/([\w.~+%-]+)$`)
	topicPath        = regexp.MustCompile(`^projects/([\w.:-]+)/topics/([\w.~+%-]+)$`)
)

const (
	// pullWait bounds one pull.
	pullWait = 2 * time.Second
	// acksAtOnce is the most deliveries that one request settles.
	acksAtOnce = 1000
	// longestLease is the longest that Pub/Sub waits for an acknowledgement.
	longestLease = 10 * time.Minute
)

// pubSub pulls from a subscription of Google Cloud Pub/Sub, or of the emulator that
// PUBSUB_EMULATOR_HOST names.
type pubSub struct {
	client *pubsub.Client
	path   string
}

func openPubSub(ctx context.Context, path string) (*pubSub, error) {
	match := subscriptionPath.FindStringSubmatch(path)
	if match == nil {
		return nil, fmt.Errorf("subscription %q: want projects/PROJECT/subscriptions/SUBSCRIPTION or nats://HOST:PORT/STREAM", path)
	}
	client, err := pubsub.NewClient(context.WithoutCancel(ctx), match[1])
	if err != nil {
		return nil, fmt.Errorf("connecting to Pub/Sub: %w", err)
	}
	_, err = client.SubscriptionAdminClient.GetSubscription(ctx, &pubsubpb.GetSubscriptionRequest{Subscription: path})
	if code := status.Code(err); code != codes.OK && code != codes.PermissionDenied { // who may read may not always ask
		return nil, errors.Join(fmt.Errorf("opening %s%s: %w", path, emulator(), err), client.Close())
	}
	return &pubSub{client: client, path: path}, nil
}

// emulator says where the emulator is, if there is to be one.
func emulator() string {
	if host := os.Getenv("PUBSUB_EMULATOR_HOST"); host != "" {
		return " at PUBSUB_EMULATOR_HOST=" + host
	}
	return ""
}

func (p *pubSub) pull(ctx context.Context, most int) ([]delivery, error) {
	ctx, cancel := context.WithTimeout(ctx, pullWait)
	defer cancel()
	response, err := p.client.SubscriptionAdminClient.Pull(ctx, &pubsubpb.PullRequest{Subscription: p.path, MaxMessages: int32(most)})
	if status.Code(err) == codes.DeadlineExceeded || errors.Is(err, context.DeadlineExceeded) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("pulling from %s: %w", p.path, err)
	}
	deliveries := make([]delivery, len(response.ReceivedMessages))
	for i, m := range response.ReceivedMessages {
		deliveries[i] = delivery{message: m.Message, ack: m.AckId}
	}
	return deliveries, nil
}

func (p *pubSub) acknowledge(ctx context.Context, acks []string) error {
	for some := range slices.Chunk(acks, acksAtOnce) {
		if err := p.client.SubscriptionAdminClient.Acknowledge(ctx, &pubsubpb.AcknowledgeRequest{Subscription: p.path, AckIds: some}); err != nil {
			return fmt.Errorf("acknowledging to %s: %w", p.path, err)
		}
	}
	return nil
}

func (p *pubSub) extend(ctx context.Context, acks []string, wait time.Duration) {
	for some := range slices.Chunk(acks, acksAtOnce) {
		err := p.client.SubscriptionAdminClient.ModifyAckDeadline(ctx, &pubsubpb.ModifyAckDeadlineRequest{
			Subscription: p.path, AckIds: some, AckDeadlineSeconds: int32(min(wait, longestLease) / time.Second),
		})
		if err != nil {
			slog.Warn("asking for more time; some messages may come twice", "from", p.path, "error", err)
		}
	}
}

func (p *pubSub) release(ctx context.Context, acks []string) { p.extend(ctx, acks, 0) }

func (p *pubSub) close() { _ = p.client.Close() }
