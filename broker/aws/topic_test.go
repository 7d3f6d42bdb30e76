package aws_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"gocloud.dev/pubsub"
	"golang.org/x/sync/errgroup"

	"starling/broker/aws"
	"starling/broker/aws/awstest"
)

// TestMessagesOfAllSizesFitTheirRequests sends messages that are not UTF-8, and so
// grow on their way, many at the same time.
func TestMessagesOfAllSizesFitTheirRequests(t *testing.T) {
	awstest.Start(t)
	queue := parse(t, aws.ParseQueue, awstest.QueueURL("texts"))
	if err := aws.CreateQueue(t.Context(), queue); err != nil {
		t.Fatal(err)
	}
	out, err := aws.OpenTopic(t.Context(), queue)
	if err != nil {
		t.Fatal(err)
	}
	var sending errgroup.Group
	for _, size := range []int{1, 14 << 10, 14<<10 + 1, 100 << 10} {
		for range 50 {
			sending.Go(func() error {
				return out.Send(t.Context(), &pubsub.Message{Body: bytes.Repeat([]byte{0xff}, size)})
			})
		}
	}
	if err := sending.Wait(); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := out.Shutdown(ctx); err != nil {
		t.Error(err)
	}
}
