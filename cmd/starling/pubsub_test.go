package main

import (
	"cloud.google.com/go/pubsub/v2/pstest"
	"github.com/rogpeppe/go-internal/testscript"
)

// startPubSub starts the fake of Google Pub/Sub that comes with its client, and
// makes it the emulator of the programs of a script.
func startPubSub(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 0, "pubsub")
	server := pstest.NewServer()
	ts.Defer(func() { ts.Check(server.Close()) })
	ts.Setenv("PUBSUB_EMULATOR_HOST", server.Addr)
}
