// Package brokertest is the conformance suite of sources: what package pipeline
// asks of anything that documents come from, told as tests. A broker joins by
// saying how to make a queue:
//
//	func TestConformance(t *testing.T) {
//		brokertest.Run(t, func(t *testing.T) brokertest.Queue {
//			url := startServer(t).URL("texts")
//			return brokertest.Queue{Source: url, Topic: url, Ordered: true}
//		})
//	}
//
// Each test gets a queue of its own. What a broker does not promise, its Queue
// says; a test that then has nothing to ask is skipped, and says why.
package brokertest

import (
	"context"
	"testing"
	"time"

	"starling/broker"
)

// A Queue is messages on their way from publishers to readers, and what is known
// of the broker that holds them. The zero value of a field is what the suite asks
// of every broker, but for those that bring more.
type Queue struct {
	// Source is the URL to receive from.
	Source string
	// Options are those to open Source with.
	Options broker.SourceOptions
	// Topic is the URL to publish to; not needed with Publish.
	Topic string
	// Publish puts messages into the queue, in their order, and returns when they
	// are there. It is called by one goroutine at a time, not the test's; nil
	// publishes to Topic.
	Publish func(ctx context.Context, messages []broker.OutMessage) error

	// Stop takes the broker away from its readers and publishers, as suddenly as
	// that can be done, and Start brings it back with all that it had taken. Both
	// are called from the test's goroutine; nil where it cannot be done.
	Stop, Start func()
	// Lease is the longest time after the death of a reader's process until
	// others get what it held; 0 where no other process can read the queue.
	Lease time.Duration
	// Renewal is a time after which the broker takes a message away from a reader
	// of whom it hears nothing; 0 where that takes too long to wait for.
	Renewal time.Duration

	// Ordered is set where a reader that is alone gets the messages in order.
	Ordered bool
	// Rewinds is set where an acknowledgement counts only with all those before
	// it: what follows a message that was not acknowledged may come again.
	Rewinds bool
	// Delays is set where what a reader gives back when it closes may take longer
	// to come again than a test can wait.
	Delays bool
	// Lines is set where a body is a line of text: not empty, UTF-8, no control
	// characters.
	Lines bool
	// Bare is set where messages have no attributes of their publisher's.
	Bare bool
	// Endless is set for a queue of this process that goes on when its last reader
	// has closed: nothing is given back and nobody's Receive ends.
	Endless bool
	// Sole is set where only one reader at a time may open the queue.
	Sole bool
}

// Run runs the suite, each test on a queue that newQueue makes, several at a
// time.
func Run(t *testing.T, newQueue func(t *testing.T) Queue) {
	for _, one := range []struct {
		name string
		test func(*testing.T, *queue)
	}{
		{"MessagesComeAsTheyWerePublished", testMessages},
		{"BodiesOfAllKinds", testBodies},
		{"OrderIsKept", testOrder},
		{"OneIDTwiceIsTwoMessages", testDuplicates},
		{"ACancelledReceiveLosesNothing", testCancelledReceive},
		{"AClosedSourceReceivesNothing", testClosedSource},
		{"CloseEndsAReceiveThatWaits", testCloseWhileReceiving},
		{"ReadersShare", testReadersShare},
		{"AMessageGivenBackComesAgain", testNack},
		{"APoisonousMessageHoldsUpNothing", testPoison},
		{"WhatIsNotAcknowledgedComesAgain", testRandomAcks},
		{"AcknowledgedTwiceIsOnce", testSecondAnswer},
		{"BacklogIsWhatIsNotAcknowledged", testBacklog},
		{"WhatIsHeldIsNotDelivered", testRenewal},
		{"WhatADeadReaderHeldComesAgain", testDeadReader},
		{"NothingIsLostWhenTheBrokerRestarts", testRestart},
		{"AnAcknowledgementOutlivesTheBroker", testAckAcrossRestart},
	} {
		t.Run(one.name, func(t *testing.T) {
			t.Parallel() // they wait more than they work
			one.test(t, &queue{Queue: newQueue(t), t: t, deadline: time.Now().Add(allowed)})
		})
	}
}
