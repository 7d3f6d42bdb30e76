package broker

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"cloud.google.com/go/pubsub/v2/pstest"
	"github.com/twmb/franz-go/pkg/kfake"

	"starling/broker/embedded"
)

// A brokerKind makes queues that nobody has used yet.
type brokerKind struct {
	name string
	// make returns the URLs to publish to a queue and to receive from it.
	make func(t *testing.T) (topic, source string)
}

var kinds = []brokerKind{
	{"mem", func(*testing.T) (string, string) {
		url := fmt.Sprintf("mem://texts-%d", queues.Add(1))
		return url, url
	}},
	{"NATS in this process", func(t *testing.T) (string, string) {
		url := startEmbedded(t, t.TempDir(), "").URL("texts")
		return url, url
	}},
	{"NATS by TCP", func(t *testing.T) (string, string) {
		url := startNATS(t).URL("texts")
		return url, url
	}},
	{"Kafka", func(t *testing.T) (string, string) {
		url := kafkaURL(startKafka(t, kfake.SeedTopics(1, "texts")))
		return url, url
	}},
	{"Pub/Sub", makePubSub},
}

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

func makePubSub(t *testing.T) (topic, source string) {
	t.Helper()
	server := pstest.NewServer()
	t.Cleanup(func() { _ = server.Close() })
	t.Setenv("PUBSUB_EMULATOR_HOST", server.Addr)
	topic, source = "projects/tests/topics/texts", "projects/tests/subscriptions/texts"
	_, err := server.GServer.CreateTopic(t.Context(), &pubsubpb.Topic{Name: topic})
	if err != nil {
		t.Fatal(err)
	}
	_, err = server.GServer.CreateSubscription(t.Context(),
		&pubsubpb.Subscription{Name: source, Topic: topic, AckDeadlineSeconds: 10})
	if err != nil {
		t.Fatal(err)
	}
	return "gcppubsub://" + topic, "gcppubsub://" + source
}

// forEachBroker runs a test on a fresh queue of each kind.
func forEachBroker(t *testing.T, test func(t *testing.T, topic, source string)) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			topic, source := kind.make(t)
			test(t, topic, source)
		})
	}
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

// checkEmpty checks that nothing more comes for a while.
func checkEmpty(t testing.TB, source *Source) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
	defer cancel()
	if m, err := source.Receive(ctx); err == nil {
		t.Errorf("%q came, want nothing more", m.Body)
	} else if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}
