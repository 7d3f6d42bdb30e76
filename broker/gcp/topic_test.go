package gcp

import (
	"fmt"
	"strings"
	"testing"

	raw "cloud.google.com/go/pubsub/v2"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"cloud.google.com/go/pubsub/v2/pstest"
	"gocloud.dev/pubsub"
	"google.golang.org/grpc/codes"
)

func publishNumbers(t *testing.T, topic *Topic, n int) {
	t.Helper()
	messages := make([]*raw.Message, n)
	for i := range messages {
		messages[i] = &raw.Message{Data: fmt.Append(nil, i)}
	}
	if err := topic.Publish(t.Context(), messages); err != nil {
		t.Fatal(err)
	}
}

// attempt is the service's count of a message's deliveries.
func attempt(m *pubsub.Message) int {
	var message *raw.Message
	if !m.As(&message) || message.DeliveryAttempt == nil {
		return 0
	}
	return *message.DeliveryAttempt
}

func TestATopicWithoutSubscriptionIsWarnedOf(t *testing.T) {
	server := startFake(t)
	asEmulator(t, server)
	said := captureLog(t)
	a := parseTopic(t, topicName(texts))
	if err := Create(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	open := func() {
		t.Helper()
		topic, err := OpenTopic(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		if err := topic.Close(); err != nil {
			t.Error(err)
		}
	}
	open()
	if !strings.Contains(said(), "no subscription") || !strings.Contains(said(), topicName(texts)) {
		t.Errorf("the log says %q, want a warning that names the topic", said())
	}
	warned := said()
	if err := Create(t.Context(), parseSubscription(t, subscriptionName(texts)+"?topic="+texts)); err != nil {
		t.Fatal(err)
	}
	if open(); said() != warned {
		t.Errorf("the topic has a subscription, and the log says %q", strings.TrimPrefix(said(), warned))
	}
}

// TestAKeyIsUsableAfterAnError has the service refuse the first publication.
func TestAKeyIsUsableAfterAnError(t *testing.T) {
	server := startFake(t, pstest.ServerReactorOption{
		FuncName: "Publish", Reactor: &refusing{times: 1, code: codes.InvalidArgument},
	})
	asEmulator(t, server)
	create(t, server, &pubsubpb.Subscription{EnableMessageOrdering: true})
	topic, err := OpenTopic(t.Context(), parseTopic(t, topicName(texts)+"?ordering_key=updates"))
	if err != nil {
		t.Fatal(err)
	}
	err = topic.Publish(t.Context(), []*raw.Message{{Data: []byte("0")}})
	checkError(t, err, "publishing to "+topicName(texts), "refused for the test")
	publishNumbers(t, topic, 3)
	if err := topic.Close(); err != nil {
		t.Error(err)
	}
	for i, m := range server.Messages() {
		if m.OrderingKey != "updates" || string(m.Data) != fmt.Sprint(i) {
			t.Errorf("message %d is %q of key %q", i, m.Data, m.OrderingKey)
		}
	}
	if n := len(server.Messages()); n != 3 {
		t.Errorf("the server has %d messages, want 3", n)
	}
}
