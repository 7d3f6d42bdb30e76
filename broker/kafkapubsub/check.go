package kafkapubsub

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// CheckSubscription says whether [OpenSubscription] would find the topic of an
// address. It does not join the group.
func CheckSubscription(ctx context.Context, a Address) error {
	client, err := connect(ctx, a)
	if err != nil {
		return err
	}
	defer client.Close()
	return lookUpTopic(ctx, client, a)
}

// CheckTopic says whether [OpenTopic] would find or could make the topic of an
// address, and makes nothing.
func CheckTopic(ctx context.Context, a Address) error {
	client, err := connect(ctx, a)
	if err != nil {
		return err
	}
	defer client.Close()
	return a.orMade(lookUpTopic(ctx, client, a))
}

// orMade passes over the absence of a topic that is to be made.
func (a Address) orMade(err error) error {
	if a.Partitions > 0 && IsMissing(err) {
		return nil
	}
	return err
}

// lookUpTopic fails when the topic does not exist or may not be seen.
func lookUpTopic(ctx context.Context, client *kgo.Client, a Address) error {
	ctx, cancel := context.WithTimeoutCause(ctx, connectTimeout, errSilent)
	defer cancel()
	topics, err := kadm.NewClient(client).ListTopics(ctx, a.Topic)
	if found, ok := topics[a.Topic]; ok {
		err = found.Err
	} else if err == nil {
		err = kerr.UnknownTopicOrPartition
	}
	if err = timedOut(ctx, err); err != nil {
		return fmt.Errorf("looking up topic %s at %s: %s%w", a.Topic, a.servers(), topicHint(err), err)
	}
	return nil
}

// CreateTopic makes the topic of an address where it is absent, with as many
// partitions as the address says, or else as the broker makes by itself.
func CreateTopic(ctx context.Context, a Address) error {
	client, err := connect(ctx, a)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := lookUpTopic(ctx, client, a); !IsMissing(err) {
		return err
	}
	if a.Partitions == 0 {
		a.Partitions = brokersChoice
	}
	return makeTopic(ctx, client, a)
}

// brokersChoice is Kafka's word for the number of partitions that the broker is
// configured to make.
const brokersChoice = -1

// IsMissing says whether err is that a topic does not exist.
func IsMissing(err error) bool { return errors.Is(err, kerr.UnknownTopicOrPartition) }

// makeTopic makes the topic with the broker's own number of replicas, unless
// someone else just has.
func makeTopic(ctx context.Context, client *kgo.Client, a Address) error {
	ctx, cancel := context.WithTimeoutCause(ctx, connectTimeout, errSilent)
	defer cancel()
	_, err := kadm.NewClient(client).CreateTopic(ctx, int32(a.Partitions), -1, nil, a.Topic)
	if err = timedOut(ctx, err); err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
		return fmt.Errorf("making topic %s at %s: %s%w", a.Topic, a.servers(), topicHint(err), err)
	}
	return nil
}

// topicHint says, before an error that concerns a topic, what to do about it.
func topicHint(err error) string {
	switch {
	case errors.Is(err, kerr.UnknownTopicOrPartition):
		return "it does not exist, and --create makes it, with ?partitions=N in the URL with that many partitions: "
	case isAny(err, kerr.TopicAuthorizationFailed, kerr.ClusterAuthorizationFailed):
		return "ask for the right to it, or check the user: "
	case isAny(err, kerr.MessageTooLarge, kerr.RecordListTooLarge):
		return "the topic's max.message.bytes is the limit: "
	}
	return ""
}
