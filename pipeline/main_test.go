package pipeline_test

import (
	"log/slog"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// The test binary is also the process that tests kill; see kill_test.go.
func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	if url := os.Getenv(victimSource); url != "" {
		os.Exit(victim(url, os.Getenv(victimState)))
	}
	// A dependency of the Pub/Sub client starts this one when it is loaded.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("go.opencensus.io/stats/view.(*worker).start"))
}
