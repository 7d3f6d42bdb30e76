package broker

import (
	"context"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"gocloud.dev/pubsub"
	"gocloud.dev/pubsub/mempubsub"
)

// memAckDeadline is how long a message in memory may be worked on.
const memAckDeadline = time.Minute

// A memQueue is a topic and its only subscription. Both live as long as the
// process, so that a message waits for its reader as it does in a real broker.
type memQueue struct {
	topic        *pubsub.Topic
	subscription *pubsub.Subscription
}

var (
	memMu     sync.Mutex
	memQueues = map[string]memQueue{}
)

func openMem(text string) (string, memQueue, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host+u.Path == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", memQueue{}, errors.New("malformed broker URL: want mem://NAME")
	}
	name := u.Host + u.Path
	memMu.Lock()
	defer memMu.Unlock()
	queue, ok := memQueues[name]
	if !ok {
		topic := mempubsub.NewTopic()
		queue = memQueue{topic, mempubsub.NewSubscription(topic, memAckDeadline)}
		memQueues[name] = queue
	}
	return name, queue, nil
}

func openMemSource(_ context.Context, text string, _ SourceOptions) (*Source, error) {
	name, queue, err := openMem(text)
	if err != nil {
		return nil, err
	}
	return NewSource(gocloudFeed{
		subscription: queue.subscription,
		origin: func(m *pubsub.Message) origin {
			return origin{id: name + ":" + strings.TrimPrefix(m.LoggableID, "msg #")}
		},
		close: func(context.Context) error { return nil },
	}), nil
}

func openMemTopic(_ context.Context, text string) (*Topic, error) {
	_, queue, err := openMem(text)
	if err != nil {
		return nil, err
	}
	return &Topic{
		publish: func(ctx context.Context, messages []OutMessage) error {
			for _, m := range messages {
				// The queue would share the memory of publisher and receiver.
				copied := &pubsub.Message{Body: slices.Clone(m.Body), Metadata: maps.Clone(m.Attributes)}
				if err := queue.topic.Send(ctx, copied); err != nil {
					return err
				}
			}
			return nil
		},
		close: func(context.Context) error { return nil },
	}, nil
}
