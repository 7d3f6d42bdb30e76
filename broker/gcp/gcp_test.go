package gcp

import (
	"maps"
	"net"
	"testing"
	"time"

	raw "cloud.google.com/go/pubsub/v2"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
)

func parseTopic(t *testing.T, url string) Address {
	t.Helper()
	a, err := ParseTopic(url)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func parseSubscription(t *testing.T, url string) Address {
	t.Helper()
	a, err := ParseSubscription(url)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestCreatePublishReceive is the whole way, as the command line goes it.
func TestCreatePublishReceive(t *testing.T) {
	server := startFake(t)
	asEmulator(t, server)
	from := parseSubscription(t, "gcppubsub://"+subscriptionName(texts)+"?topic=texts")
	to := parseTopic(t, "gcppubsub://"+topicName(texts))
	for range 2 { // the second time all is there
		if err := Create(t.Context(), from); err != nil {
			t.Fatal(err)
		}
	}
	topic, err := OpenTopic(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"id": "7f3a", "with spaces": "ü\n"}
	if err := topic.Publish(t.Context(), []*raw.Message{{Data: []byte("hello"), Attributes: want}}); err != nil {
		t.Fatal(err)
	}
	if err := topic.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := OpenSubscription(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	var stopper interface{ StopReceiving() }
	s.As(&stopper)
	r := &reader{s, t, stopper.(*subscription)}
	m := r.receive()
	m.Ack()
	if string(m.Body) != "hello" || !maps.Equal(m.Metadata, want) {
		t.Errorf("got %q with %q", m.Body, m.Metadata)
	}
	r.close()
}

func TestOpenSaysWhatIsMissing(t *testing.T) {
	asEmulator(t, startFake(t))
	_, topicErr := OpenTopic(t.Context(), parseTopic(t, topicName("nowhere")))
	checkError(t, topicErr, topicName("nowhere"), "NotFound", "; --create makes it")
	_, subscriptionErr := OpenSubscription(t.Context(), parseSubscription(t, subscriptionName("nowhere")))
	checkError(t, subscriptionErr, subscriptionName("nowhere"), "NotFound", "; --create makes it")
	if !IsMissing(topicErr) || !IsMissing(subscriptionErr) {
		t.Errorf("%v and %v are not recognised", topicErr, subscriptionErr)
	}
}

// TestASubscriptionIsCreatedAsTheURLSays looks at what the service was asked for.
func TestASubscriptionIsCreatedAsTheURLSays(t *testing.T) {
	server := startFake(t)
	asEmulator(t, server)
	err := Create(t.Context(), parseSubscription(t, subscriptionName(texts)+
		"?topic=texts&ordered=true&exactly_once=true&ack_deadline=90s&dead_letter_topic=projects/other/topics/dead&max_attempts=20"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := server.GServer.GetSubscription(t.Context(), &pubsubpb.GetSubscriptionRequest{Subscription: subscriptionName(texts)})
	if err != nil {
		t.Fatal(err)
	}
	policy := got.GetDeadLetterPolicy()
	if got.GetTopic() != topicName(texts) || !got.GetEnableMessageOrdering() || !got.GetEnableExactlyOnceDelivery() ||
		got.GetAckDeadlineSeconds() != 90 || policy.GetDeadLetterTopic() != "projects/other/topics/dead" ||
		policy.GetMaxDeliveryAttempts() != 20 {
		t.Errorf("it was created as %v", got)
	}
	for _, topic := range []string{topicName(texts), "projects/other/topics/dead"} {
		if _, err := server.GServer.GetTopic(t.Context(), &pubsubpb.GetTopicRequest{Topic: topic}); err != nil {
			t.Error(err)
		}
	}
}

func TestATopicIsCreatedWithItsSubscription(t *testing.T) {
	server := startFake(t)
	asEmulator(t, server)
	if err := Create(t.Context(), parseTopic(t, topicName(texts)+"?subscription=first")); err != nil {
		t.Fatal(err)
	}
	got, err := server.GServer.GetSubscription(t.Context(), &pubsubpb.GetSubscriptionRequest{Subscription: subscriptionName("first")})
	if err != nil || got.GetTopic() != topicName(texts) {
		t.Errorf("the subscription is %v (%v)", got, err)
	}
}

func TestCreateSaysWhyItCannot(t *testing.T) {
	server := startFake(t)
	asEmulator(t, server)
	err := Create(t.Context(), parseSubscription(t, subscriptionName(texts)))
	checkError(t, err, subscriptionName(texts), "add ?topic=TOPIC to the URL")
	create(t, server, &pubsubpb.Subscription{})
	err = Create(t.Context(), parseSubscription(t, subscriptionName(texts)+"?topic=another"))
	checkError(t, err, "it exists, and is a subscription of "+topicName(texts)+", not of "+topicName("another"))
	if err := Create(t.Context(), parseSubscription(t, subscriptionName(texts))); err != nil {
		t.Errorf("one that exists needs no topic, and yet: %v", err)
	}
}

func TestOpenSaysWhatCannotBeReached(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts nobody
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	t.Setenv("PUBSUB_EMULATOR_HOST", silent.Addr().String())
	begin := time.Now()
	_, err = OpenTopic(t.Context(), parseTopic(t, topicName(texts)))
	checkError(t, err, topicName(texts), silent.Addr().String(), "is PUBSUB_EMULATOR_HOST right?")
	if took := time.Since(begin); took > 3*openTimeout {
		t.Errorf("it took %v to say so", took)
	}
}

func TestOpenSaysThatCredentialsAreMissing(t *testing.T) {
	t.Setenv("PUBSUB_EMULATOR_HOST", "")
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")
	_, err := OpenSubscription(t.Context(), parseSubscription(t, subscriptionName(texts)))
	checkError(t, err, "/nowhere/key.json", "gcloud auth application-default login")
}
