package kafkapubsub

import (
	"testing"

	"gocloud.dev/pubsub"
)

// checkCommitted checks how many messages the group need not read again.
func checkCommitted(t *testing.T, a Address, want int64) {
	t.Helper()
	s := open(t, a)
	defer shutDown(t, s)
	checkBacklog(t, s, crashTotal-want)
}

func checkBacklog(t *testing.T, s *pubsub.Subscription, want int64) {
	t.Helper()
	var backlog *Backlogger
	s.As(&backlog)
	n, err := backlog.Backlog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n != want {
		t.Errorf("the backlog is %d, want %d", n, want)
	}
}
