package gcp

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"cloud.google.com/go/pubsub/v2/pstest"
	"golang.org/x/sync/semaphore"
)

func TestShutdownWaitsForAcknowledgements(t *testing.T) {
	t.Parallel()
	const total = 30
	server := startFake(t)
	create(t, server, &pubsubpb.Subscription{})
	for i := range total {
		server.Publish(topicName(texts), fmt.Appendf(nil, "text %d", i), nil)
	}
	r := read(t, server)
	for range total {
		r.receive().Ack()
	}
	r.close()
	for _, m := range server.Messages() {
		if m.Acks != 1 {
			t.Errorf("after the shutdown the server has %d acknowledgements of %q, want 1", m.Acks, m.Data)
		}
	}
}

// TestShutdownGivesBackWhatIsHeld looks at the server, for which reader gets the
// message next, and when, is up to it.
func TestShutdownGivesBackWhatIsHeld(t *testing.T) {
	t.Parallel()
	server := startFake(t)
	create(t, server, &pubsubpb.Subscription{})
	id := server.Publish(topicName(texts), []byte("held"), nil)
	r := read(t, server)
	r.receive()
	r.close()
	m := server.Message(id)
	given := slices.ContainsFunc(m.Modacks, func(m pstest.Modack) bool { return m.AckDeadline == 0 })
	if m.Acks != 0 || !given {
		t.Errorf("after the shutdown the server has %d acknowledgements and these deadlines: %v", m.Acks, m.Modacks)
	}
}

func TestShutdownBeforeReceiving(t *testing.T) {
	t.Parallel()
	server := startFake(t)
	create(t, server, &pubsubpb.Subscription{})
	read(t, server).close()
}

func TestReceiveSaysThatTheSubscriptionIsGone(t *testing.T) {
	t.Parallel()
	server := startFake(t)
	create(t, server, &pubsubpb.Subscription{})
	r := read(t, server)
	_, err := server.GServer.DeleteSubscription(t.Context(),
		&pubsubpb.DeleteSubscriptionRequest{Subscription: subscriptionName(texts)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := r.Receive(ctx); err == nil || !strings.Contains(err.Error(), subscriptionName(texts)) {
		t.Errorf("got the error %v, want one that names the subscription", err)
	}
	r.close()
}

// TestALeaseIsRenewedWhileAMessageIsHeld holds a message for longer than the
// deadline of the subscription, which the service sets to 10 s at least.
func TestALeaseIsRenewedWhileAMessageIsHeld(t *testing.T) {
	t.Parallel()
	server := startFake(t)
	create(t, server, &pubsubpb.Subscription{})
	id := server.Publish(topicName(texts), []byte("held"), nil)
	r := read(t, server)
	held := r.receive()
	r.checkSilent(13 * time.Second)
	held.Ack()
	r.close()
	m := server.Message(id)
	if m.Deliveries != 1 || m.Acks != 1 {
		t.Errorf("the message was delivered %d times and acknowledged %d times, want once each", m.Deliveries, m.Acks)
	}
	var extended int
	for _, one := range m.Modacks {
		if one.AckDeadline >= 10 {
			extended++
		}
	}
	if extended < 2 {
		t.Errorf("the lease was renewed %d times in 13 s, want 2 at least: %v", extended, m.Modacks)
	}
}

// TestMessagesOfOneKeyComeInOrder gives one back, which then comes before those
// behind it, and acknowledges in order.
func TestMessagesOfOneKeyComeInOrder(t *testing.T) {
	t.Parallel()
	const total, givenBack = 6, 2
	server := startFake(t)
	create(t, server, &pubsubpb.Subscription{EnableMessageOrdering: true})
	topic := &Topic{client: dial(t, server), key: "updates"}
	topic.publisher = topic.client.Publisher(texts)
	topic.publisher.EnableMessageOrdering = true
	publishNumbers(t, topic, total)
	r := read(t, server)
	for i, nacked := 0, false; i < total; {
		m := r.receive()
		if string(m.Body) != fmt.Sprint(i) {
			t.Fatalf("%q came in the place of %d", m.Body, i)
		}
		if i == givenBack && !nacked {
			nacked = true
			m.Nack()
			continue
		}
		m.Ack()
		i++
	}
	r.close()
	for i, m := range server.Messages() {
		if m.OrderingKey != "updates" || string(m.Data) != fmt.Sprint(i) || m.Acks != 1 {
			t.Errorf("message %d is %q of key %q with %d acknowledgements", i, m.Data, m.OrderingKey, m.Acks)
		}
	}
}

// TestDeliveriesAreCountedUntilTheDeadLetterTopic gives a message back as often
// as the policy of the subscription allows.
func TestDeliveriesAreCountedUntilTheDeadLetterTopic(t *testing.T) {
	t.Parallel()
	const attempts = 5
	server := startFake(t)
	if _, err := server.GServer.CreateTopic(t.Context(), &pubsubpb.Topic{Name: topicName("dead")}); err != nil {
		t.Fatal(err)
	}
	dead, err := server.GServer.CreateSubscription(t.Context(), &pubsubpb.Subscription{
		Name: subscriptionName("dead"), Topic: topicName("dead"), AckDeadlineSeconds: 10,
	})
	if err != nil {
		t.Fatal(err)
	}
	create(t, server, &pubsubpb.Subscription{DeadLetterPolicy: &pubsubpb.DeadLetterPolicy{
		DeadLetterTopic: topicName("dead"), MaxDeliveryAttempts: attempts,
	}})
	server.Publish(topicName(texts), []byte("poison"), nil)
	r := read(t, server)
	for i := range attempts {
		m := r.receive()
		if got := attempt(m); got != i+1 {
			t.Errorf("delivery %d is called attempt %d", i+1, got)
		}
		m.Nack()
	}
	r.checkSilent(300 * time.Millisecond)
	r.close()
	pulled, err := server.GServer.Pull(t.Context(), &pubsubpb.PullRequest{Subscription: dead.GetName(), MaxMessages: 1})
	if err != nil || len(pulled.GetReceivedMessages()) != 1 || string(pulled.GetReceivedMessages()[0].GetMessage().GetData()) != "poison" {
		t.Errorf("the topic of dead letters holds %v (%v)", pulled, err)
	}
}

// TestWhatIsHeldIsBounded holds two messages where there is room for two.
func TestWhatIsHeldIsBounded(t *testing.T) {
	t.Parallel()
	server := startFake(t)
	create(t, server, &pubsubpb.Subscription{})
	for i := range 3 {
		server.Publish(topicName(texts), fmt.Append(nil, i), nil)
	}
	r := read(t, server)
	r.driver.held.messages = semaphore.NewWeighted(2)
	first, second := r.receive(), r.receive()
	r.checkSilent(300 * time.Millisecond)
	first.Ack()
	r.receive().Ack()
	second.Ack()
	r.close()
}
