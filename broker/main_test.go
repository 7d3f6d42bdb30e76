package broker

import (
	"flag"
	"testing"

	"go.uber.org/goleak"
)

// natsPublish waits for ever when a topic is closed before it has run at all.
var natsPublish = goleak.IgnoreTopFunction(
	"github.com/nats-io/nats.go/jetstream.(*jetStream).resetPendingAcksOnReconnect")

// outlive are goroutines that outlive the tests through no fault of this package.
var outlive = []goleak.Option{
	natsPublish,
	// Of the queues in memory, whose subscriptions live as long as the process.
	goleak.IgnoreTopFunction("gocloud.dev/pubsub.(*Subscription).Receive.func2"),
	goleak.IgnoreTopFunction("time.Sleep"), // between two looks at such a queue
	// Of the Pub/Sub client, which sees only some seconds later that its
	// subscription has ended, and of what its libraries start.
	goleak.IgnoreTopFunction("cloud.google.com/go/pubsub/v2.(*messageIterator).streamKeepAliveHandler"),
	goleak.IgnoreTopFunction("go.opencensus.io/stats/view.(*worker).start"),
}

func TestMain(m *testing.M) {
	flag.Parse()
	// The tests of the conformance suite wait more than they work.
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m, outlive...)
}

// leaveNothing makes a test of NATS or Kafka fail that leaves a goroutine behind.
func leaveNothing(t testing.TB) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before, natsPublish) })
}
