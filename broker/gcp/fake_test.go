package gcp

import (
	"context"
	"strings"
	"testing"
	"time"

	raw "cloud.google.com/go/pubsub/v2"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"cloud.google.com/go/pubsub/v2/pstest"
	"gocloud.dev/pubsub"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

const (
	project = "tests"
	// texts names the topic that most tests use, and its subscription.
	texts = "texts"
)

func topicName(name string) string        { return "projects/" + project + "/topics/" + name }
func subscriptionName(name string) string { return "projects/" + project + "/subscriptions/" + name }

// startFake starts the client's fake of Pub/Sub.
func startFake(t testing.TB, options ...pstest.ServerReactorOption) *pstest.Server {
	t.Helper()
	server := pstest.NewServer(options...)
	t.Cleanup(func() { _ = server.Close() })
	return server
}

// asEmulator makes a fake the one that this process uses.
func asEmulator(t *testing.T, server *pstest.Server) {
	t.Helper()
	t.Setenv("PUBSUB_EMULATOR_HOST", server.Addr)
}

// dial makes a client of one fake, whatever this process uses.
func dial(t testing.TB, server *pstest.Server) *raw.Client {
	t.Helper()
	conn, err := grpc.NewClient(server.Addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	client, err := raw.NewClient(context.Background(), project, option.WithGRPCConn(conn))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// create makes the topic, and the subscription as far as it is given.
func create(t *testing.T, server *pstest.Server, s *pubsubpb.Subscription) {
	t.Helper()
	if _, err := server.GServer.CreateTopic(t.Context(), &pubsubpb.Topic{Name: topicName(texts)}); err != nil {
		t.Fatal(err)
	}
	s.Name, s.Topic, s.AckDeadlineSeconds = subscriptionName(texts), topicName(texts), 10
	if _, err := server.GServer.CreateSubscription(t.Context(), s); err != nil {
		t.Fatal(err)
	}
}

// A reader is a subscription, and what is underneath.
type reader struct {
	*pubsub.Subscription
	t      *testing.T
	driver *subscription
}

// read opens the subscription.
func read(t *testing.T, server *pstest.Server) *reader {
	t.Helper()
	s := newSubscription(dial(t, server).Subscriber(texts))
	return &reader{pubsub.NewSubscription(s, receiveOptions, ackOptions), t, s}
}

// receive returns the next message.
func (r *reader) receive() *pubsub.Message {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 20*time.Second)
	defer cancel()
	m, err := r.Receive(ctx)
	if err != nil {
		r.t.Fatal(err)
	}
	return m
}

// checkSilent checks that nothing comes for a while.
func (r *reader) checkSilent(d time.Duration) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), d)
	defer cancel()
	if m, err := r.Receive(ctx); err == nil {
		r.t.Errorf("%q, %s, came, want nothing", m.Body, m.LoggableID)
	}
}

// shut closes the subscription, as package broker does.
func (r *reader) shut() error {
	r.driver.StopReceiving()
	for {
		if _, err := r.Receive(r.t.Context()); err != nil {
			return r.Shutdown(r.t.Context())
		}
	}
}

// close is shut for tests of something else.
func (r *reader) close() {
	r.t.Helper()
	if err := r.shut(); err != nil {
		r.t.Error(err)
	}
}

func checkError(t *testing.T, err error, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got the error %v, want %q in it", err, want)
		}
	}
}
