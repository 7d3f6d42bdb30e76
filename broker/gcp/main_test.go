package gcp

import (
	"io"
	"log"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// gocloud complains to the standard log about each message that a test
	// leaves unacknowledged on purpose.
	log.SetOutput(io.Discard)
	goleak.VerifyTestMain(m,
		// gocloud's conformance tests shut down between two calls of Receive,
		// after which this waits for ever.
		goleak.IgnoreTopFunction("gocloud.dev/pubsub.(*Subscription).Receive.func2"),
		// The client's own, which sees only some seconds later that its
		// subscription has ended.
		goleak.IgnoreTopFunction("cloud.google.com/go/pubsub/v2.(*messageIterator).streamKeepAliveHandler"),
		// OpenCensus, which the client's libraries start when they are loaded.
		goleak.IgnoreTopFunction("go.opencensus.io/stats/view.(*worker).start"),
	)
}
