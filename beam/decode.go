package beam

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	sdk "github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"google.golang.org/protobuf/proto"

	"starling"
	"starling/broker"
)

// A DeadLetter is a message that could not be clustered, and why.
type DeadLetter struct {
	ID, Reason string
	Body       []byte
	Attributes map[string]string
}

func init() {
	sdk.RegisterDoFn(reflect.TypeFor[decodeFn]())
	sdk.RegisterDoFn(reflect.TypeFor[deadLetterFn]())
	register.Emitter1[starling.Document]()
	register.Emitter1[DeadLetter]()
	sdk.RegisterCoder(reflect.TypeFor[DeadLetter](), encodeDeadLetter, decodeDeadLetter)
}

// counterOf returns a counter of this package, which the runner's pages show.
func counterOf(name string) sdk.Counter { return sdk.NewCounter("starling", name) }

// decodeFn makes documents of messages in the wire form of Pub/Sub.
type decodeFn struct{ refused sdk.Counter }

// Setup prepares the counters.
func (fn *decodeFn) Setup() { fn.refused = counterOf("dead_letters") }

// ProcessElement decodes one message.
func (fn *decodeFn) ProcessElement(ctx context.Context, data []byte, emit func(starling.Document), refuse func(DeadLetter)) error {
	var wire pubsubpb.PubsubMessage
	if err := proto.Unmarshal(data, &wire); err != nil {
		return fmt.Errorf("the source gave no Pub/Sub message: %w", err)
	}
	message := broker.Message{ID: wire.MessageId, Body: wire.Data, Attributes: wire.Attributes}
	if wire.PublishTime != nil {
		message.Time = wire.PublishTime.AsTime()
	}
	document, err := message.Document()
	if err != nil {
		fn.refused.Inc(ctx, 1)
		refuse(DeadLetter{ID: wire.MessageId, Reason: err.Error(), Body: wire.Data, Attributes: wire.Attributes})
		return nil
	}
	emit(document)
	return nil
}

// letter makes a dead letter of a document.
func letter(d starling.Document, reason error) DeadLetter {
	attributes := maps.Clone(d.Attributes)
	if attributes == nil {
		attributes = make(map[string]string)
	}
	attributes["id"] = d.ID
	return DeadLetter{ID: d.ID, Reason: reason.Error(), Body: []byte(d.Text), Attributes: attributes}
}

// deadLetterFn logs dead letters and makes messages of them, with the reason in the
// attribute "reason".
type deadLetterFn struct{}

// ProcessElement makes the message of one dead letter.
func (*deadLetterFn) ProcessElement(ctx context.Context, l DeadLetter) []byte {
	log.Warnf(ctx, "message %q became a dead letter: %s", l.ID, l.Reason)
	attributes := maps.Clone(l.Attributes)
	if attributes == nil {
		attributes = make(map[string]string)
	}
	attributes["reason"] = l.Reason
	return wireMessage(l.Body, attributes)
}

// wireMessage returns a message in the wire form of Pub/Sub. What is not UTF-8 in the
// attributes, which that form does not allow, is left out.
func wireMessage(body []byte, attributes map[string]string) []byte {
	data, err := proto.Marshal(&pubsubpb.PubsubMessage{Data: body, Attributes: attributes})
	if err != nil {
		data, _ = proto.Marshal(&pubsubpb.PubsubMessage{Data: body}) // bytes alone always can be written
	}
	return data
}

func encodeDeadLetter(l DeadLetter) []byte {
	b := appendString(appendString(appendString(nil, l.ID), l.Reason), string(l.Body))
	return appendAttributes(b, l.Attributes)
}

func decodeDeadLetter(data []byte) (DeadLetter, error) {
	r := reader{rest: data}
	l := DeadLetter{ID: r.string(), Reason: r.string(), Body: slices.Clone(r.bytes()), Attributes: r.attributes()}
	return l, r.end("dead letter")
}
