package natspubsub

import (
	"io"
	"log"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// gocloud complains to the standard log about each message that a dead
	// reader never acknowledged.
	log.SetOutput(io.Discard)
	goleak.VerifyTestMain(m)
}
