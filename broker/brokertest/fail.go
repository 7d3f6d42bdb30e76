package brokertest

import (
	"context"
	"testing"
	"time"

	"starling/broker"
)

// testRenewal holds a message for longer than the broker would wait for a reader
// that is silent, while others flow.
func testRenewal(t *testing.T, q *queue) {
	if q.Renewal == 0 {
		t.Skip("the broker waits for longer than a test can")
	}
	q.put(numbers(0, 1)...)
	source := q.open()
	held := q.receive(source)
	next := 1
	for end := time.Now().Add(3 * q.Renewal / 2); time.Now().Before(end); next++ {
		q.put(numbers(next, 1)...)
		m := q.receive(source)
		if q.number(m) == 0 {
			t.Fatal("a message came again while its reader held it")
		}
		m.Ack()
		time.Sleep(q.Renewal / 10)
	}
	held.Ack()
	q.drain(source)
}

// testDeadReader kills a process that has received messages, acknowledged some
// and holds the others, while another reader waits.
func testDeadReader(t *testing.T, q *queue) {
	if q.Lease == 0 {
		t.Skip("no other process can read the queue")
	}
	const total, acked = 30, 10
	q.put(numbers(0, total)...)
	dead := q.startReader()
	held := dead.receive(total, acked)
	var heir *broker.Source
	if !q.Sole {
		heir = q.open() // is there already when the other one dies
	}
	dead.kill()
	if q.Sole {
		heir = q.open()
	}
	for deadline := time.Now().Add(q.Lease + patience); len(held) > 0; {
		m := q.next(heir, time.Until(deadline))
		if m == nil {
			t.Fatalf("%d messages that the dead reader held did not come again", len(held))
		}
		delete(held, string(m.Body))
		m.Ack()
	}
	q.drain(heir)
}

// testRestart takes the broker away twice while messages are published, received
// and acknowledged. Each comes at least once; where there is an order, the first
// delivery of each is in it.
func testRestart(t *testing.T, q *queue) {
	if q.Stop == nil {
		t.Skip("the broker cannot be restarted")
	}
	const batches, size = 100, 20
	source := q.open()
	published := make(chan error, 1)
	go func() { published <- q.publishSlowly(t.Context(), batches, size) }()
	came := map[int]bool{}
	outages := map[int]bool{batches * size / 4: true, batches * size / 2: true}
	for len(came) < batches*size {
		m := q.receive(source)
		n := q.number(m)
		if q.Ordered && n > len(came) {
			t.Fatalf("%d came before %d", n, len(came))
		}
		came[n] = true
		m.Ack()
		if outages[len(came)] {
			delete(outages, len(came))
			q.Stop()
			time.Sleep(200 * time.Millisecond)
			q.Start()
		}
	}
	if err := <-published; err != nil {
		t.Error(err)
	}
	q.drain(source)
}

// publishSlowly publishes batches, one after the other, each until it is there.
func (q *queue) publishSlowly(ctx context.Context, batches, size int) error {
	publish := q.Publish
	if publish == nil {
		topic, err := broker.OpenTopic(ctx, q.Topic)
		if err != nil {
			return err
		}
		defer func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
			defer cancel()
			_ = topic.Close(ctx)
		}()
		publish = topic.Publish
	}
	for b := range batches {
		if err := publish(ctx, numbers(b*size, size)); err != nil {
			return err
		}
		time.Sleep(2 * time.Millisecond)
	}
	return nil
}

// testAckAcrossRestart acknowledges while the broker is away what was received
// before. The acknowledgement waits, or is lost and the message comes again: it
// is not stuck.
func testAckAcrossRestart(t *testing.T, q *queue) {
	if q.Stop == nil {
		t.Skip("the broker cannot be restarted")
	}
	const total = 20
	q.put(numbers(0, total)...)
	source := q.open()
	all := q.receiveAll(source, total)
	q.Stop()
	for i := range total / 2 {
		all[i].Ack()
	}
	q.Start()
	for i := total / 2; i < total; i++ {
		all[i].Ack()
	}
	q.put(numbers(total, 1)...)
	for q.number(q.receive(source)) != total { // those whose acknowledgement was lost come first or later
		continue
	}
	q.close(source)
	q.drain(q.open())
}
