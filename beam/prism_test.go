package beam

import (
	"os"
	"strconv"
	"testing"

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
	settings := testSettings(t)
	var got recorder
	settings.OnUpdates = got.take
	runOnPrism(t, settings)
	checkUpdates(t, got.all(), n)
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
