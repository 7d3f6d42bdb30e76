package broker

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"starling/broker/embedded"
)

var queues atomic.Int64

func startNATS(t testing.TB) *embedded.Server {
	t.Helper()
	return startEmbedded(t, t.TempDir(), "127.0.0.1:0")
}

func startEmbedded(t testing.TB, dir, listen string) *embedded.Server {
	t.Helper()
	server, err := embedded.Start(dir, listen)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Shutdown)
	return server
}

func openSource(t testing.TB, url string) *Source {
	t.Helper()
	source, err := OpenSource(t.Context(), url, SourceOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = source.Close(context.Background()) }) // it may be closed already
	return source
}

func openTopic(t testing.TB, url string) *Topic {
	t.Helper()
	topic, err := OpenTopic(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = topic.Close(context.Background()) })
	return topic
}

func closeSource(t testing.TB, source *Source) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := source.Close(ctx); err != nil {
		t.Fatal(err)
	}
}

// publishNumbers publishes "0" to n-1, each with its id.
func publishNumbers(t testing.TB, url string, n int) {
	t.Helper()
	messages := make([]OutMessage, n)
	for i := range messages {
		messages[i] = OutMessage{Body: fmt.Append(nil, i), Attributes: map[string]string{"id": fmt.Sprint("id-", i)}}
	}
	if err := openTopic(t, url).Publish(t.Context(), messages); err != nil {
		t.Fatal(err)
	}
}

func receive(t testing.TB, source *Source) *Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	m, err := source.Receive(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// receiveAll receives n messages and returns them by their bodies. It fails when
// one comes twice.
func receiveAll(t testing.TB, source *Source, n int) map[string]*Message {
	t.Helper()
	all := make(map[string]*Message, n)
	for range n {
		m := receive(t, source)
		if all[string(m.Body)] != nil {
			t.Fatalf("%q came twice", m.Body)
		}
		all[string(m.Body)] = m
	}
	return all
}
