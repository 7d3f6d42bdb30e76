package beam

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	sdk "github.com/apache/beam/sdks/v2/go/pkg/beam"
	"google.golang.org/protobuf/proto"

	"starling/broker"
)

func init() {
	sdk.RegisterDoFn(reflect.TypeFor[writeFn]())
}

// writeFn publishes messages in the wire form of Pub/Sub to a topic that package
// broker knows. A bundle that is tried again publishes its messages again: their
// attribute id says so.
type writeFn struct {
	Topic   string
	topic   *broker.Topic
	waiting []broker.OutMessage
}

// publishAtOnce is how many messages are published together.
const publishAtOnce = 256

// topics are those of this process, by address; they stay open.
var topics = struct {
	sync.Mutex
	open map[string]*broker.Topic
}{open: make(map[string]*broker.Topic)}

// openTopic returns the topic of an address, projects/P/topics/T or a URL that
// package broker knows.
func openTopic(ctx context.Context, address string) (*broker.Topic, error) {
	topics.Lock()
	defer topics.Unlock()
	if topic, ok := topics.open[address]; ok {
		return topic, nil
	}
	url := address
	if topicPath.MatchString(address) {
		url = "gcppubsub://" + address
	}
	topic, err := broker.OpenTopic(context.WithoutCancel(ctx), url)
	if err != nil {
		return nil, err
	}
	topics.open[address] = topic
	return topic, nil
}

// CloseTopics closes the topics that pipelines of this process have written to, when
// none runs any more.
func CloseTopics(ctx context.Context) error {
	topics.Lock()
	defer topics.Unlock()
	var all error
	for address, topic := range topics.open {
		all = errors.Join(all, topic.Close(ctx))
		delete(topics.open, address)
	}
	return all
}

// Setup opens the topic.
func (fn *writeFn) Setup(ctx context.Context) (err error) {
	fn.topic, err = openTopic(ctx, fn.Topic)
	return err
}

// StartBundle forgets what a bundle that failed left behind.
func (fn *writeFn) StartBundle() { fn.waiting = fn.waiting[:0] }

// ProcessElement takes a message.
func (fn *writeFn) ProcessElement(ctx context.Context, data []byte) error {
	var m pubsubpb.PubsubMessage
	if err := proto.Unmarshal(data, &m); err != nil {
		return fmt.Errorf("publishing what is no Pub/Sub message: %w", err)
	}
	fn.waiting = append(fn.waiting, broker.OutMessage{Body: m.Data, Attributes: m.Attributes})
	if len(fn.waiting) < publishAtOnce {
		return nil
	}
	return fn.FinishBundle(ctx)
}

// FinishBundle publishes what is waiting.
func (fn *writeFn) FinishBundle(ctx context.Context) error {
	if len(fn.waiting) == 0 {
		return nil
	}
	if err := fn.topic.Publish(ctx, fn.waiting); err != nil {
		return err
	}
	fn.waiting = fn.waiting[:0]
	return nil
}
