package pipeline_test

import (
	"log/slog"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// The test binary is also the process that tests kill; see victim_test.go.
func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	if setting := os.Getenv(victimSetting); setting != "" {
		os.Exit(victimMain(setting))
	}
	goleak.VerifyTestMain(m,
		// A dependency of the Pub/Sub client starts this one when it is loaded.
		goleak.IgnoreTopFunction("go.opencensus.io/stats/view.(*worker).start"),
		// The client of NATS leaves it waiting for ever when a topic is closed
		// before it has run at all.
		goleak.IgnoreTopFunction("github.com/nats-io/nats.go/jetstream.(*jetStream).resetPendingAcksOnReconnect"))
}
