package beam

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/pubsub/v2/pstest"

	"starling"
)

// messagesOnPrism is how many messages a pipeline of a test reads; STARLING_TEST_MESSAGES
// sets it.
func messagesOnPrism(t *testing.T) int {
	t.Helper()
	if text := os.Getenv("STARLING_TEST_MESSAGES"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return 3000
}

func TestEveryMessageIsClusteredOnceAndAcknowledged(t *testing.T) {
	server := startPubSub(t)
	n := messagesOnPrism(t)
	publish(t, server, 0, n)
	publish(t, server, n/2, n/2+n/10) // some come twice
	checkUpdates(t, updatesOnPrism(t, testSettings(t)), n)
	checkAcknowledged(t, server)
}

// checkUpdates checks that there is one update for each of n documents, numbered
// without a gap.
func checkUpdates(t *testing.T, updates []starling.Update, n int) {
	t.Helper()
	seen := make(map[string]bool)
	for i, u := range updates {
		if u.Seq != int64(i)+1 {
			t.Fatalf("update %d has the number %d", i+1, u.Seq)
		}
		if seen[u.ID] {
			t.Errorf("document %s was clustered twice", u.ID)
		}
		seen[u.ID] = true
	}
	for i := range n {
		if !seen[testID(i)] {
			t.Errorf("document %s was not clustered", testID(i))
		}
	}
	if len(updates) != n {
		t.Errorf("%d updates, want %d", len(updates), n)
	}
}

func checkAcknowledged(t *testing.T, server *pstest.Server) {
	t.Helper()
	left := 0
	for _, m := range server.Messages() {
		if m.Acks == 0 {
			left++
		}
	}
	if left > 0 {
		t.Errorf("%d of %d messages were not acknowledged", left, len(server.Messages()))
	}
}

// TestAWorkerThatForgets has the worker lose the machines that it keeps, time and
// again: each is brought back from the runner's state, and the updates are those of
// the runtime of one machine.
func TestAWorkerThatForgets(t *testing.T) {
	server := startPubSub(t)
	n := messagesOnPrism(t)
	publish(t, server, 0, n)
	settings := testSettings(t)
	ctx, stop := context.WithCancel(t.Context())
	forgotten := make(chan int)
	go func() {
		n := 0
		for ctx.Err() == nil {
			if live.forget() {
				n++
			}
			time.Sleep(time.Millisecond)
		}
		forgotten <- n
	}()
	updates := updatesOnPrism(t, settings)
	stop()
	checkUpdates(t, updates, n)
	checkAcknowledged(t, server)
	checkLocally(t, settings, updates)
	if times := <-forgotten; times == 0 {
		t.Error("the worker had nothing to forget")
	} else {
		t.Logf("machines were forgotten %d times", times)
	}
}

// forget loses all machines, and says whether there were any.
func (l *liveMachines) forget() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	some := l.order.Len() > 0
	clear(l.entries)
	l.order.Init()
	return some
}

// TestAFunctionThatFailsFailsTheJob has a step fail in the midst of the stream: the
// job ends with the reason, and does not begin anew.
func TestAFunctionThatFailsFailsTheJob(t *testing.T) {
	server := startPubSub(t)
	publish(t, server, 0, messagesOnPrism(t))
	settings := testSettings(t)
	var got recorder
	settings.OnUpdates = func(updates []starling.Update) error {
		if len(got.all()) > 500 {
			return errors.New("there is no room for more")
		}
		return got.take(updates)
	}
	p, err := Cluster(settings)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	err = Run(ctx, p, RunSettings{Runner: Prism})
	if err == nil || !strings.Contains(err.Error(), "there is no room for more") {
		t.Errorf("the job ended with %v", err)
	}
	for i, u := range got.all() {
		if u.Seq != int64(i)+1 {
			t.Fatalf("update %d has the number %d: the clustering began anew", i+1, u.Seq)
		}
	}
}
