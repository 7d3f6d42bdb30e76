package natspubsub

import (
	"io"
	"log"
	"testing"

	"go.uber.org/goleak"
)

// gocloudReceive keeps waiting for ever when a subscription is shut down between
// two calls of Receive, as gocloud's conformance tests do it.
const gocloudReceive = "gocloud.dev/pubsub.(*Subscription).Receive.func2"

// natsPublish does too when a topic is closed before it has run at all.
const natsPublish = "github.com/nats-io/nats.go/jetstream.(*jetStream).resetPendingAcksOnReconnect"

func TestMain(m *testing.M) {
	// gocloud complains to the standard log about each message that a dead
	// reader never acknowledged.
	log.SetOutput(io.Discard)
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction(gocloudReceive), goleak.IgnoreTopFunction(natsPublish))
}

// leaveNothing makes a test fail that leaves a goroutine behind, gocloudReceive
// included.
func leaveNothing(t testing.TB) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before, goleak.IgnoreTopFunction(natsPublish)) })
}
