package beam

import (
	"net"
	"testing"

	"starling"
	"starling/broker"
	"starling/broker/embedded"
)

func TestJetStreamIsReadAndAcknowledged(t *testing.T) {
	address := freeAddress(t)
	nats, err := embedded.Start(t.TempDir(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nats.Shutdown)
	n := messagesOnPrism(t)
	texts := sampleTexts(t)
	updates := make([]starling.Update, n)
	for i := range updates {
		updates[i].ID, updates[i].Text = testID(i), texts[i%len(texts)]
	}
	publishTo(t, nats.URL("texts"), updates)
	settings := testSettings(t)
	settings.From, settings.To = "nats://"+address+"/texts", "nats://"+address+"/updates"
	var got recorder
	settings.OnUpdates = got.take
	runOnPrism(t, settings)
	checkUpdates(t, got.all(), n)
	for url, want := range map[string]int64{settings.From: 0, settings.To: int64(n)} {
		if held := backlog(t, url); held != want {
			t.Errorf("%s holds %d messages, want %d", url, held, want)
		}
	}
}

// freeAddress returns an address that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() //nolint:errcheck // somebody else shall have it
	return listener.Addr().String()
}

// backlog returns how many messages a stream holds for its default reader.
func backlog(t *testing.T, url string) int64 {
	t.Helper()
	source, err := broker.OpenSource(t.Context(), url, broker.SourceOptions{})
	if err != nil {
		t.Fatal(err)
	}
	held, known, err := source.Backlog(t.Context())
	if err != nil || !known {
		t.Fatal(known, err)
	}
	if err := source.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return held
}
