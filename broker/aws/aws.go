// Package aws opens queues of Amazon SQS and topics of Amazon SNS for gocloud's
// pubsub, with the credentials that the AWS command line uses:
//
//	address, err := aws.ParseQueue("awssqs://sqs.eu-central-1.amazonaws.com/123456789012/texts")
//	queue, err := aws.OpenQueue(ctx, address)
//	m, err := queue.Subscription.Receive(ctx)
//
// Nothing is made but by [CreateQueue] and [CreateTopic]. AWS_ENDPOINT_URL or the
// parameter endpoint names another server that speaks the protocol.
//
// # Delivery
//
// A message is delivered at least once, in no order, and deleted when it is
// acknowledged. Its lease is the visibility timeout of the queue; whoever holds
// messages for longer calls [Queue.Renew]. SQS refuses empty bodies and control
// characters other than tab and line breaks; a body that is not UTF-8 is written
// in base64 with the attribute base64encoded, which gocloud's readers undo.
package aws

import (
	"context"
	"errors"
	"fmt"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"
)

const (
	// openTimeout bounds the question whether a queue or topic is there.
	openTimeout = 10 * time.Second
	// maxBackOff is the longest pause between two attempts.
	maxBackOff = 5 * time.Second
)

// configure reads the shared configuration.
func (a Address) configure(ctx context.Context) (sdk.Config, error) {
	options := []func(*config.LoadOptions) error{config.WithRetryer(patient)}
	if a.Region != "" {
		options = append(options, config.WithRegion(a.Region))
	}
	if a.Profile != "" {
		options = append(options, config.WithSharedConfigProfile(a.Profile))
	}
	if a.Endpoint != "" {
		options = append(options, config.WithBaseEndpoint(a.Endpoint))
	}
	settings, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return sdk.Config{}, fmt.Errorf("reading the configuration of AWS: %w", err)
	}
	if settings.Region == "" {
		return sdk.Config{}, errors.New("opening AWS: no region; add ?region=NAME to the URL or set AWS_REGION")
	}
	return settings, nil
}

// patient tries again for as long as the caller's context lasts what fails because
// AWS is away or busy: gocloud ends a subscription at the first error.
func patient() sdk.Retryer {
	standard := retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxBackoff, o.RateLimiter = maxBackOff, ratelimit.None
	})
	return retry.AddWithMaxAttempts(standard, 0) // no limit
}

func (a Address) sqs(ctx context.Context) (*sqs.Client, error) {
	settings, err := a.configure(ctx)
	if err != nil {
		return nil, err
	}
	return sqs.NewFromConfig(settings), nil
}

func (a Address) sns(ctx context.Context) (*sns.Client, error) {
	settings, err := a.configure(ctx)
	if err != nil {
		return nil, err
	}
	return sns.NewFromConfig(settings), nil
}

// The service's words for what is missing or forbidden.
var (
	missing   = []string{"QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", "NotFound", "NotFoundException"}
	forbidden = []string{"AccessDenied", "AccessDeniedException", "AuthorizationError"}
)

func isAny(err error, codes []string) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	for _, code := range codes {
		if api.ErrorCode() == code {
			return true
		}
	}
	return false
}

// IsMissing says whether err is that a queue or a topic does not exist.
func IsMissing(err error) bool { return isAny(err, missing) }

// ask asks a service about name, within openTimeout.
func ask(ctx context.Context, doing, name string, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	err := ask(ctx)
	if err == nil {
		return nil
	}
	hint := ""
	var api smithy.APIError
	switch {
	case IsMissing(err):
		hint = "; --create makes it"
	case isAny(err, forbidden):
		hint = "; the credentials lack a right to it"
	case !errors.As(err, &api):
		hint = "; are region and credentials right (AWS_REGION, AWS_PROFILE, AWS_ACCESS_KEY_ID), and does AWS answer?"
	}
	return fmt.Errorf("%s %s: %w%s", doing, name, err, hint)
}
