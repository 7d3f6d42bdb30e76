package kafkapubsub

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/goleak"
	"gocloud.dev/pubsub"
	"gocloud.dev/pubsub/driver"
)

// gocloudReceive keeps waiting for ever when a subscription is shut down between
// two calls of Receive, as gocloud's conformance tests do it.
const gocloudReceive = "gocloud.dev/pubsub.(*Subscription).Receive.func2"

func TestMain(m *testing.M) {
	if url := os.Getenv(childVariable); url != "" {
		readAndDie(url)
	}
	// gocloud complains to the standard log about each message that was never
	// acknowledged, and brokers are stopped on purpose.
	log.SetOutput(io.Discard)
	slog.SetDefault(slog.New(slog.DiscardHandler))
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction(gocloudReceive))
}

// leaveNothing makes a test fail that leaves a goroutine behind, gocloudReceive
// included.
func leaveNothing(t testing.TB) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
}

// startKafka starts a broker that lives as long as the test.
func startKafka(t testing.TB, options ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	options = append([]kfake.Opt{kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(time.Second)}, options...)
	cluster, err := kfake.NewCluster(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return cluster
}

// address is that of the topic "texts", which is made with so many partitions.
func address(t testing.TB, cluster *kfake.Cluster, partitions int) Address {
	t.Helper()
	a, err := ParseURL(fmt.Sprintf("kafka://%s/texts?session_timeout=2s&partitions=%d", cluster.ListenAddrs()[0], partitions))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// numbers are messages with the numbers from first to last.
func numbers(first, last int) []*driver.Message {
	messages := make([]*driver.Message, 0, last-first+1)
	for i := first; i <= last; i++ {
		messages = append(messages, &driver.Message{
			Body: fmt.Append(nil, i), Metadata: map[string]string{"id": fmt.Sprint("id-", i)},
		})
	}
	return messages
}

// publish publishes the numbers from 0 to n-1, and makes the topic.
func publish(t testing.TB, a Address, n int) {
	t.Helper()
	topic, err := OpenTopic(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	var direct *Topic
	topic.As(&direct)
	if err := direct.Publish(t.Context(), numbers(0, n-1)); err != nil {
		t.Fatal(err)
	}
	if err := topic.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, a Address) *pubsub.Subscription {
	t.Helper()
	s, err := OpenSubscription(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// shutDown ends a subscription so that nothing of it stays.
func shutDown(t testing.TB, s *pubsub.Subscription) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var stopper interface{ StopReceiving() }
	s.As(&stopper)
	stopper.StopReceiving()
	for {
		if _, err := s.Receive(ctx); err != nil {
			break
		}
	}
	if err := s.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
}

func receive(t testing.TB, s *pubsub.Subscription) *pubsub.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	m, err := s.Receive(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
