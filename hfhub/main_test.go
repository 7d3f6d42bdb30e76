package hfhub

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(killEndpoint) != "" {
		pullUntilKilled()
	}
	goleak.VerifyTestMain(m)
}
