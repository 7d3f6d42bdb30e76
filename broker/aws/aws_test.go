package aws_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"gocloud.dev/pubsub"

	"starling/broker/aws"
	"starling/broker/aws/awstest"
)

func parse(t *testing.T, parse func(string) (aws.Address, error), url string) aws.Address {
	t.Helper()
	a, err := parse(url)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func checkError(t *testing.T, err error, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got the error %v, want %q in it", err, want)
		}
	}
}

func TestOpenSaysWhatIsMissing(t *testing.T) {
	awstest.Start(t)
	queue, topic := parse(t, aws.ParseQueue, awstest.QueueURL("nowhere")), parse(t, aws.ParseTopic, awstest.TopicURL("nowhere"))
	_, queueErr := aws.OpenQueue(t.Context(), queue)
	_, queueTopicErr := aws.OpenTopic(t.Context(), queue)
	_, topicErr := aws.OpenTopic(t.Context(), topic)
	for err, name := range map[error]string{queueErr: "/nowhere", queueTopicErr: "/nowhere", topicErr: ":nowhere"} {
		checkError(t, err, name, "; --create makes it")
		if !aws.IsMissing(err) {
			t.Errorf("%v is not recognised", err)
		}
	}
}

// TestWhatATopicPassesOnIsUnwrapped publishes to a topic that a queue is
// subscribed to: the message is the one published, not SNS's envelope.
func TestWhatATopicPassesOnIsUnwrapped(t *testing.T) {
	awstest.Start(t)
	queue, topic := parse(t, aws.ParseQueue, awstest.QueueURL("texts")), parse(t, aws.ParseTopic, awstest.TopicURL("texts"))
	for range 2 { // the second time both are there
		if err := aws.CreateQueue(t.Context(), queue); err != nil {
			t.Fatal(err)
		}
		if err := aws.CreateTopic(t.Context(), topic); err != nil {
			t.Fatal(err)
		}
	}
	subscribe(t, topic.TopicARN, "arn:aws:sqs:us-east-1:000000000000:texts")
	out, err := aws.OpenTopic(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	sent := &pubsub.Message{Body: []byte("ein Täxt"), Metadata: map[string]string{"id": "7f3a"}}
	if err := out.Send(t.Context(), sent); err != nil {
		t.Fatal(err)
	}
	in, err := aws.OpenQueue(t.Context(), queue)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	m, err := in.Subscription.Receive(ctx)
	if err != nil {
		t.Fatal(err)
	}
	m.Ack()
	if string(m.Body) != "ein Täxt" || m.Metadata["id"] != "7f3a" {
		t.Errorf("got %q with %q", m.Body, m.Metadata)
	}
	if sent, attempt := aws.Origin(m); attempt != 1 || time.Since(sent) > time.Minute {
		t.Errorf("it was sent at %v, and this is attempt %d", sent, attempt)
	}
	if err := in.Subscription.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := out.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestAnOutageIsWaitedFor cuts the line for longer than the client would try by
// itself, which is three times.
func TestAnOutageIsWaitedFor(t *testing.T) {
	line := awstest.Start(t).NewLine(t)
	queue := parse(t, aws.ParseQueue, awstest.QueueURL("texts")+"?endpoint="+line.URL())
	if err := aws.CreateQueue(t.Context(), queue); err != nil {
		t.Fatal(err)
	}
	out, err := aws.OpenTopic(t.Context(), queue)
	if err != nil {
		t.Fatal(err)
	}
	line.Cut()
	sent := make(chan error, 1)
	go func() { sent <- out.Send(t.Context(), &pubsub.Message{Body: []byte("late")}) }()
	select {
	case err := <-sent:
		t.Errorf("sending while the line was cut ended with %v", err)
		line.Mend()
	case <-time.After(4 * time.Second):
		line.Mend()
		if err := <-sent; err != nil {
			t.Error(err)
		}
	}
	if err := out.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

func subscribe(t *testing.T, topic, queue string) {
	t.Helper()
	settings, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	protocol := "sqs"
	_, err = sns.NewFromConfig(settings).Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: &topic, Protocol: &protocol, Endpoint: &queue})
	if err != nil {
		t.Fatal(err)
	}
}

func TestOpenSaysThatTheRegionIsMissing(t *testing.T) {
	for name, value := range map[string]string{
		"AWS_REGION": "", "AWS_DEFAULT_REGION": "", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	} {
		t.Setenv(name, value)
	}
	_, err := aws.OpenQueue(t.Context(), parse(t, aws.ParseQueue, "awssqs://queues.example/123456789012/texts"))
	checkError(t, err, "no region; add ?region=NAME to the URL or set AWS_REGION")
}

func TestOpenSaysThatCredentialsAreMissing(t *testing.T) {
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	} {
		t.Setenv(name, value)
	}
	_, err := aws.OpenQueue(t.Context(), parse(t, aws.ParseQueue, awstest.QueueURL("texts")))
	checkError(t, err, "opening https://sqs.us-east-1.amazonaws.com/000000000000/texts", "AWS_ACCESS_KEY_ID")
}
