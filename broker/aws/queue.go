package aws

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"gocloud.dev/pubsub"
	"gocloud.dev/pubsub/awssnssqs"
	"gocloud.dev/pubsub/batcher"
)

const (
	// defaultVisibility is SQS's own.
	defaultVisibility = 30 * time.Second
	// longPoll is how long a request waits for messages, so that few are needed.
	longPoll = 2 * time.Second
	// batchMessages bounds one request.
	batchMessages = 10
)

// A Queue receives messages.
type Queue struct {
	Subscription *pubsub.Subscription
	// Visibility is the time after which SQS delivers a message again that it
	// hears nothing of.
	Visibility time.Duration

	client *sqs.Client
	url    string
}

// OpenQueue opens an existing queue to receive from it.
func OpenQueue(ctx context.Context, a Address) (*Queue, error) {
	q, err := a.find(ctx)
	if err != nil {
		return nil, err
	}
	attributes, err := q.attributes(ctx, types.QueueAttributeNameVisibilityTimeout)
	if err != nil && !isAny(err, forbidden) { // who may receive need not be allowed to ask
		return nil, err
	}
	seconds, err := strconv.Atoi(attributes[string(types.QueueAttributeNameVisibilityTimeout)])
	if q.Visibility = defaultVisibility; err == nil && seconds > 0 {
		q.Visibility = time.Duration(seconds) * time.Second
	}
	q.Subscription = awssnssqs.OpenSubscription(ctx, q.client, q.url, &awssnssqs.SubscriptionOptions{
		Raw: a.Raw, WaitTime: longPoll, ReceiveBatcherOptions: batcher.Options{MaxHandlers: 8},
	})
	return q, nil
}

// find asks for the queue of an address. The service may call it by another URL,
// as one behind AWS_ENDPOINT_URL does.
func (a Address) find(ctx context.Context) (*Queue, error) {
	client, err := a.sqs(ctx)
	if err != nil {
		return nil, err
	}
	q := &Queue{client: client, url: a.Queue}
	err = ask(ctx, "opening", a.Queue, func(ctx context.Context) error {
		output, err := client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &a.QueueName, QueueOwnerAWSAccountId: &a.Account})
		if err == nil {
			q.url = *output.QueueUrl
		}
		return err
	})
	if err != nil && !isAny(err, forbidden) {
		return nil, err
	}
	return q, nil
}

func (q *Queue) attributes(ctx context.Context, names ...types.QueueAttributeName) (found map[string]string, err error) {
	err = ask(ctx, "opening", q.url, func(ctx context.Context) error {
		output, err := q.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &q.url, AttributeNames: names})
		if err == nil {
			found = output.Attributes
		}
		return err
	})
	return found, err
}

// Backlog returns about how many messages the queue holds.
func (q *Queue) Backlog(ctx context.Context) (int64, error) {
	names := []types.QueueAttributeName{
		types.QueueAttributeNameApproximateNumberOfMessages,
		types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
		types.QueueAttributeNameApproximateNumberOfMessagesDelayed,
	}
	attributes, err := q.attributes(ctx, names...)
	if err != nil {
		return 0, err
	}
	var sum int64
	for _, name := range names {
		n, err := strconv.ParseInt(attributes[string(name)], 10, 64)
		if err != nil {
			return 0, fmt.Errorf("reading the attribute %s of %s: %w", name, q.url, err)
		}
		sum += n
	}
	return sum, nil
}

// Renew begins the leases of messages anew. A message whose lease has ended, or
// that is acknowledged, is passed over.
func (q *Queue) Renew(ctx context.Context, messages []*pubsub.Message) error {
	for batch := range slices.Chunk(messages, batchMessages) {
		input := &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &q.url}
		for i, m := range batch {
			input.Entries = append(input.Entries, types.ChangeMessageVisibilityBatchRequestEntry{
				Id: sdk.String(strconv.Itoa(i)), ReceiptHandle: rawOf(m).ReceiptHandle,
				VisibilityTimeout: int32(q.Visibility.Seconds()),
			})
		}
		if _, err := q.client.ChangeMessageVisibilityBatch(ctx, input); err != nil {
			return fmt.Errorf("renewing leases of %s: %w", q.url, err)
		}
	}
	return nil
}

// rawOf is the message as SQS has it.
func rawOf(m *pubsub.Message) types.Message {
	var raw types.Message
	m.As(&raw)
	return raw
}

// Origin returns what SQS knows of a message: when it was sent, and how often it
// was received.
func Origin(m *pubsub.Message) (sent time.Time, attempt int) {
	attributes := rawOf(m).Attributes
	milliseconds, err := strconv.ParseInt(attributes[string(types.MessageSystemAttributeNameSentTimestamp)], 10, 64)
	if err == nil {
		sent = time.UnixMilli(milliseconds).UTC()
	}
	attempt, err = strconv.Atoi(attributes[string(types.MessageSystemAttributeNameApproximateReceiveCount)])
	if err != nil {
		attempt = 0
	}
	return sent, attempt
}

// CreateQueue makes the queue of an address where it is absent. One that exists
// stays as it is.
func CreateQueue(ctx context.Context, a Address) error {
	if _, err := a.find(ctx); !IsMissing(err) {
		return err
	}
	client, err := a.sqs(ctx)
	if err != nil {
		return err
	}
	input := &sqs.CreateQueueInput{QueueName: &a.QueueName}
	if a.Visibility != 0 {
		input.Attributes = map[string]string{
			string(types.QueueAttributeNameVisibilityTimeout): strconv.Itoa(int(a.Visibility.Seconds())),
		}
	}
	return ask(ctx, "creating", a.Queue, func(ctx context.Context) error {
		_, err := client.CreateQueue(ctx, input)
		return err
	})
}
