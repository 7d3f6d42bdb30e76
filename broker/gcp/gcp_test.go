package gcp

import (
	"context"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"cloud.google.com/go/pubsub/v2/pstest"
	"gocloud.dev/pubsub"
)

const (
	project = "tests"
	// texts names the topic that most tests use, and its subscription.
	texts = "texts"
)

func topicName(name string) string        { return "projects/" + project + "/topics/" + name }
func subscriptionName(name string) string { return "projects/" + project + "/subscriptions/" + name }

// startFake starts the client's fake of Pub/Sub and makes it the one that this
// process uses.
func startFake(t testing.TB) *pstest.Server {
	t.Helper()
	server := pstest.NewServer()
	t.Cleanup(func() { _ = server.Close() })
	t.Setenv("PUBSUB_EMULATOR_HOST", server.Addr)
	return server
}

// create makes the topic and the subscription.
func create(t *testing.T, server *pstest.Server) {
	t.Helper()
	if _, err := server.GServer.CreateTopic(t.Context(), &pubsubpb.Topic{Name: topicName(texts)}); err != nil {
		t.Fatal(err)
	}
	if _, err := server.GServer.CreateSubscription(t.Context(), &pubsubpb.Subscription{
		Name: subscriptionName(texts), Topic: topicName(texts), AckDeadlineSeconds: 10,
	}); err != nil {
		t.Fatal(err)
	}
}

// open opens the subscription; shut closes it, as package broker does.
func open(t *testing.T) (s *pubsub.Subscription, shut func() error) {
	t.Helper()
	s, client, err := OpenSubscription(t.Context(), subscriptionName(texts))
	if err != nil {
		t.Fatal(err)
	}
	return s, func() error {
		defer client.Close()
		var driver interface{ StopReceiving() }
		s.As(&driver)
		driver.StopReceiving()
		for {
			if _, err := s.Receive(t.Context()); err != nil {
				return s.Shutdown(t.Context())
			}
		}
	}
}

func receive(t *testing.T, s *pubsub.Subscription) *pubsub.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	m, err := s.Receive(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestPublishAndReceive(t *testing.T) {
	create(t, startFake(t))
	topic, client, err := OpenTopic(t.Context(), topicName(texts))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	want := map[string]string{"id": "7f3a", "with spaces": "ü\n"}
	if err := topic.Send(t.Context(), &pubsub.Message{Body: []byte("hello"), Metadata: want}); err != nil {
		t.Fatal(err)
	}
	if err := topic.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	s, shut := open(t)
	m := receive(t, s)
	m.Ack()
	if string(m.Body) != "hello" || !maps.Equal(m.Metadata, want) {
		t.Errorf("got %q with %q", m.Body, m.Metadata)
	}
	if err := shut(); err != nil {
		t.Error(err)
	}
}

func TestShutdownWaitsForAcknowledgements(t *testing.T) {
	const total = 30
	server := startFake(t)
	create(t, server)
	for i := range total {
		server.Publish(topicName(texts), fmt.Appendf(nil, "text %d", i), nil)
	}
	s, shut := open(t)
	for range total {
		receive(t, s).Ack()
	}
	if err := shut(); err != nil {
		t.Fatal(err)
	}
	for _, m := range server.Messages() {
		if m.Acks != 1 {
			t.Errorf("after the shutdown the server has %d acknowledgements of %q, want 1", m.Acks, m.Data)
		}
	}
}

// TestShutdownGivesBackWhatIsHeld looks at the server, for which reader gets the
// message next, and when, is up to it.
func TestShutdownGivesBackWhatIsHeld(t *testing.T) {
	server := startFake(t)
	create(t, server)
	id := server.Publish(topicName(texts), []byte("held"), nil)
	s, shut := open(t)
	receive(t, s)
	if err := shut(); err != nil {
		t.Fatal(err)
	}
	m := server.Message(id)
	given := slices.ContainsFunc(m.Modacks, func(m pstest.Modack) bool { return m.AckDeadline == 0 })
	if m.Acks != 0 || !given {
		t.Errorf("after the shutdown the server has %d acknowledgements and these deadlines: %v", m.Acks, m.Modacks)
	}
}

func TestShutdownBeforeReceiving(t *testing.T) {
	create(t, startFake(t))
	_, shut := open(t)
	if err := shut(); err != nil {
		t.Error(err)
	}
}

func TestReceiveSaysThatTheSubscriptionIsGone(t *testing.T) {
	server := startFake(t)
	create(t, server)
	s, shut := open(t)
	_, err := server.GServer.DeleteSubscription(t.Context(),
		&pubsubpb.DeleteSubscriptionRequest{Subscription: subscriptionName(texts)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := s.Receive(ctx); err == nil || !strings.Contains(err.Error(), subscriptionName(texts)) {
		t.Errorf("got the error %v, want one that names the subscription", err)
	}
	if err := shut(); err != nil {
		t.Error(err)
	}
}

func TestOpenSaysWhatIsMissing(t *testing.T) {
	startFake(t)
	_, _, err := OpenTopic(t.Context(), topicName("nowhere"))
	checkError(t, err, topicName("nowhere"), "NotFound", "make it first")
	_, _, err = OpenSubscription(t.Context(), subscriptionName("nowhere"))
	checkError(t, err, subscriptionName("nowhere"), "NotFound", "make it first")
}

func TestOpenSaysWhatIsMalformed(t *testing.T) {
	for _, path := range []string{
		"", "texts", "projects/p", "projects//topics/t", "projects/p/topics/", "projects/p/topics/a/b",
		"projects/p/topics/a b", "projects/p/topics/t?x=1", "user:hunter2@projects/p/topics/t", "/projects/p/topics/t",
	} {
		_, _, err := OpenTopic(t.Context(), path)
		checkError(t, err, "want gcppubsub://projects/PROJECT/topics/TOPIC")
		_, _, err = OpenSubscription(t.Context(), strings.Replace(path, "topics", "subscriptions", 1))
		checkError(t, err, "want gcppubsub://projects/PROJECT/subscriptions/SUBSCRIPTION")
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
	_, _, err := OpenSubscription(t.Context(), topicName(texts))
	checkError(t, err, "subscriptions/SUBSCRIPTION to receive")
}

func TestOpenSaysWhatCannotBeReached(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts nobody
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	t.Setenv("PUBSUB_EMULATOR_HOST", silent.Addr().String())
	begin := time.Now()
	_, _, err = OpenTopic(t.Context(), topicName(texts))
	checkError(t, err, topicName(texts), silent.Addr().String(), "is PUBSUB_EMULATOR_HOST right?")
	if took := time.Since(begin); took > 2*openTimeout {
		t.Errorf("it took %v to say so", took)
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
