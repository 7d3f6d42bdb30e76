package beam

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/apache/beam/sdks/v2/go/pkg/beam"
	beamlog "github.com/apache/beam/sdks/v2/go/pkg/beam/log"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"cloud.google.com/go/pubsub/v2/pstest"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"starling"
	"starling/dataset"
)

func TestMain(m *testing.M) {
	flag.Parse()
	beamlog.SetupLogging("error", "text")
	sdk.Init()
	os.Exit(m.Run())
}

const testTopic = "projects/p/topics/texts"

// testSubscription is that of a test and its server: this process knows subscriptions by
// their names.
func testSubscription(t testing.TB) string {
	_, port, _ := strings.Cut(os.Getenv("PUBSUB_EMULATOR_HOST"), ":")
	return "projects/p/subscriptions/" + t.Name() + "-" + port
}

// startPubSub starts the fake Pub/Sub server that comes with the client, with one topic
// and a subscription to it, for the time of the test.
func startPubSub(t *testing.T) *pstest.Server {
	t.Helper()
	server := pstest.NewServer()
	t.Cleanup(func() { _ = server.Close() })
	t.Setenv("PUBSUB_EMULATOR_HOST", server.Addr)
	conn, err := grpc.NewClient(server.Addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := pubsubpb.NewPublisherClient(conn).CreateTopic(t.Context(), &pubsubpb.Topic{Name: testTopic}); err != nil {
		t.Fatal(err)
	}
	_, err = pubsubpb.NewSubscriberClient(conn).CreateSubscription(t.Context(),
		&pubsubpb.Subscription{Name: testSubscription(t), Topic: testTopic, AckDeadlineSeconds: 60})
	if err != nil {
		t.Fatal(err)
	}
	return server
}

// publish publishes texts of the sample, over and over, with ids that count.
func publish(t *testing.T, server *pstest.Server, from, to int) {
	t.Helper()
	texts := sampleTexts(t)
	for i := from; i < to; i++ {
		server.Publish(testTopic, []byte(fmt.Sprintf("%s %d", texts[i%len(texts)], i/len(texts))), map[string]string{"id": testID(i)})
	}
}

func testID(i int) string { return "doc-" + strconv.Itoa(i) }

func sampleTexts(t testing.TB) []string {
	t.Helper()
	texts, err := dataset.SampleTexts(context.Background(), 0)
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// testSettings are those of the built-in model reading the test's subscription.
func testSettings(t testing.TB) ClusterSettings {
	t.Helper()
	s := ClusterSettings{From: testSubscription(t), Model: ModelSpec{Name: "builtin"}, UntilIdle: 3 * time.Second}
	if err := s.Resolve(context.Background()); err != nil {
		t.Fatal(err)
	}
	return s
}

// A recorder takes the updates of a pipeline.
type recorder struct {
	mu      sync.Mutex
	updates []starling.Update
}

func (r *recorder) take(updates []starling.Update) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.updates = append(r.updates, updates...)
	return nil
}

func (r *recorder) all() []starling.Update {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.updates
}

// runOnPrism runs the clustering pipeline in this process until it ends.
func runOnPrism(t *testing.T, settings ClusterSettings) {
	t.Helper()
	p, err := Cluster(settings)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	if err := Run(ctx, p, RunSettings{Runner: Prism}); err != nil {
		t.Fatal(err)
	}
}

// updatesOnPrism is runOnPrism, and returns the updates.
func updatesOnPrism(t *testing.T, settings ClusterSettings) []starling.Update {
	t.Helper()
	var got recorder
	settings.OnUpdates = got.take
	runOnPrism(t, settings)
	return got.all()
}
