package beam

import (
	"reflect"

	sdk "github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/typex"
	pipepb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/pipeline_v1"
	"google.golang.org/protobuf/proto"
)

// The transforms by which Dataflow reads and writes Pub/Sub itself. They are those of
// the SDK's pubsubio, which is not used because it holds the whole module to an old
// version of genproto; the wire form is that of the client's own messages.
const (
	nativeReadURN  = "beam:transform:pubsub_read:v1"
	nativeWriteURN = "beam:transform:pubsub_write:v1"
)

// nativeRead reads a subscription: messages in the wire form of Pub/Sub. By the
// attribute id Dataflow leaves out what comes again within ten minutes.
func nativeRead(s sdk.Scope, subscription string) sdk.PCollection {
	payload := mustMarshal(&pipepb.PubSubReadPayload{Subscription: subscription, WithAttributes: true, IdAttribute: "id"})
	return sdk.External(s, nativeReadURN, payload, nil, []sdk.FullType{typex.New(reflect.TypeFor[[]byte]())}, false)[0]
}

// nativeWrite publishes messages in the wire form of Pub/Sub.
func nativeWrite(s sdk.Scope, topic string, messages sdk.PCollection) {
	sdk.External(s, nativeWriteURN, mustMarshal(&pipepb.PubSubWritePayload{Topic: topic}), []sdk.PCollection{messages}, nil, false)
}

// mustMarshal encodes a message of plain strings, which never fails but for text that
// is no UTF-8, and that was checked.
func mustMarshal(m proto.Message) []byte {
	data, err := proto.Marshal(m)
	if err != nil {
		panic("beam: " + err.Error())
	}
	return data
}
