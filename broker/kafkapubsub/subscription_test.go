package kafkapubsub

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"gocloud.dev/pubsub"
	"gocloud.dev/pubsub/driver"
)

// checkBacklog waits until the backlog is as wanted, since offsets are committed
// a little later.
func checkBacklog(t *testing.T, s *pubsub.Subscription, want int64) {
	t.Helper()
	var backlog *Backlogger
	s.As(&backlog)
	var n int64
	for range 100 {
		var err error
		if n, err = backlog.Backlog(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n == want {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("the backlog is %d, want %d", n, want)
}

func recordOf(t testing.TB, m *pubsub.Message) *kgo.Record {
	t.Helper()
	var record *kgo.Record
	if !m.As(&record) {
		t.Fatal("a message has no record")
	}
	return record
}

func TestEachPartitionKeepsItsOrder(t *testing.T) {
	leaveNothing(t)
	const total, partitions = 20_000, 4
	a := address(t, startKafka(t), partitions)
	publish(t, a, total)
	s := open(t, a)
	defer shutDown(t, s)
	last := [partitions]int{-1, -1, -1, -1}
	for range total {
		m := receive(t, s)
		record := recordOf(t, m)
		var number int
		if _, err := fmt.Sscan(string(m.Body), &number); err != nil {
			t.Fatal(err)
		}
		if number <= last[record.Partition] {
			t.Fatalf("%d came after %d in partition %d", number, last[record.Partition], record.Partition)
		}
		if m.Metadata["id"] != fmt.Sprint("id-", number) || string(record.Key) != m.Metadata["id"] {
			t.Fatalf("%d came with %q and the key %q", number, m.Metadata, record.Key)
		}
		if want := fmt.Sprintf("texts/%d/%d", record.Partition, record.Offset); m.LoggableID != want {
			t.Fatalf("%d is called %s, want %s", number, m.LoggableID, want)
		}
		last[record.Partition] = number
		m.Ack()
	}
	checkBacklog(t, s, 0)
}

func TestAMessageGivenBackHoldsTheOffset(t *testing.T) {
	leaveNothing(t)
	a := address(t, startKafka(t), 1)
	publish(t, a, 10)
	s := open(t, a)
	var all []*pubsub.Message
	for range 10 {
		all = append(all, receive(t, s))
	}
	for i, m := range all {
		if i == 4 {
			m.Nack()
		} else {
			m.Ack()
		}
	}
	checkBacklog(t, s, 6)
	again := receive(t, s)
	if string(again.Body) != "4" {
		t.Errorf("%q came again, want 4", again.Body)
	}
	again.Ack()
	checkBacklog(t, s, 0)
	shutDown(t, s)
}

// TestCloseCommits closes right after the last acknowledgement.
func TestCloseCommits(t *testing.T) {
	leaveNothing(t)
	a := address(t, startKafka(t), 1)
	publish(t, a, 100)
	first := open(t, a)
	for range 40 {
		receive(t, first).Ack()
	}
	shutDown(t, first)
	second := open(t, a)
	defer shutDown(t, second)
	begin := time.Now()
	for i := 40; i < 100; i++ {
		m := receive(t, second)
		if string(m.Body) != fmt.Sprint(i) {
			t.Fatalf("got %q, want %d", m.Body, i)
		}
		m.Ack()
	}
	if took := time.Since(begin); took > time.Second { // the session would end after 2 s
		t.Errorf("it took %v: the first reader did not leave the group", took)
	}
}

func TestGroupsAreApart(t *testing.T) {
	leaveNothing(t)
	a := address(t, startKafka(t), 1)
	publish(t, a, 3)
	for _, group := range []string{"first", "second"} {
		a.Group = group
		s := open(t, a)
		for i := range 3 {
			m := receive(t, s)
			if string(m.Body) != fmt.Sprint(i) {
				t.Errorf("group %s got %q, want %d", group, m.Body, i)
			}
			m.Ack()
		}
		shutDown(t, s)
	}
}

// TestWhatIsHeldIsBounded acknowledges nothing, then all. The bound of bytes is
// passed by what one answer of a broker may bring.
func TestWhatIsHeldIsBounded(t *testing.T) {
	leaveNothing(t)
	for name, c := range map[string]struct{ size, least, most int }{
		"messages": {1, heldMessages, heldMessages},
		"bytes":    {900_000, heldBytes/900_000 + 1, (heldBytes + fetchBytes) / 900_000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := address(t, startKafka(t), 1)
			publishBodies(t, a, c.most+50, c.size)
			s := openDriver(t, a)
			ids := receiveUntilSilent(t, s)
			if len(ids) < c.least || len(ids) > c.most {
				t.Errorf("%d messages of %d bytes were received, want %d to %d", len(ids), c.size, c.least, c.most)
			}
			if err := s.SendAcks(t.Context(), ids); err != nil {
				t.Fatal(err)
			}
			if rest := receiveUntilSilent(t, s); len(ids)+len(rest) != c.most+50 {
				t.Errorf("then %d were received, want %d", len(rest), c.most+50-len(ids))
			}
		})
	}
}

func publishBodies(t *testing.T, a Address, n, size int) {
	t.Helper()
	topic, err := newTopic(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	defer topic.client.Close()
	messages := make([]*driver.Message, n)
	for i := range messages {
		messages[i] = &driver.Message{Body: make([]byte, size)}
	}
	if err := errors.Join(topic.findOrMake(t.Context()), topic.Publish(t.Context(), messages)); err != nil {
		t.Fatal(err)
	}
}

// openDriver opens a subscription that nothing prefetches from.
func openDriver(t *testing.T, a Address) *subscription {
	t.Helper()
	s, err := newSubscription(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// receiveUntilSilent waits for messages, and then receives until nothing comes for
// a while.
func receiveUntilSilent(t *testing.T, s *subscription) []driver.AckID {
	t.Helper()
	var ids []driver.AckID
	deadline := time.Now().Add(20 * time.Second)
	for silent := false; !silent; {
		messages, err := s.ReceiveBatch(t.Context(), 1000)
		if err != nil {
			t.Fatal(err)
		}
		silent = len(messages) == 0 && (len(ids) > 0 || time.Now().After(deadline))
		for _, m := range messages {
			ids = append(ids, m.AckID)
		}
	}
	return ids
}

// TestARebalanceCommitsOnlyWhatIsAcknowledged has one reader acknowledge every
// second message of all partitions, and a second reader join. What moves with a
// partition is at the second what the first has not acknowledged there, and what
// follows it.
func TestARebalanceCommitsOnlyWhatIsAcknowledged(t *testing.T) {
	leaveNothing(t)
	const total, partitions = 400, 4
	a := address(t, startKafka(t), partitions)
	publish(t, a, total)
	first := openDriver(t, a)
	held, floor := holdEverySecond(t, first, total)

	second := openDriver(t, a)
	moved := map[int32]int64{} // the first offset that came of each partition
	for deadline := time.Now().Add(15 * time.Second); len(moved) < partitions/2; {
		if time.Now().After(deadline) {
			t.Fatalf("the second reader got partitions %v, want half of %d", moved, partitions)
		}
		if messages, err := first.ReceiveBatch(t.Context(), 100); err != nil || len(messages) > 0 {
			t.Fatalf("the first reader got %d messages again, %v", len(messages), err)
		}
		acknowledgeInOrder(t, second, moved)
	}
	for partition, offset := range moved {
		if offset != floor[partition] {
			t.Errorf("partition %d came from offset %d on, want %d", partition, offset, floor[partition])
		}
	}
	// Settling what is lost does nothing; what is still here counts.
	lost := lostOf(held)
	if len(lost) == 0 || len(lost) == len(held) {
		t.Errorf("the first reader lost %d of the %d messages it held, want those of some partitions", len(lost), len(held))
	}
	if err := errors.Join(first.SendNacks(t.Context(), lost), first.SendAcks(t.Context(), held)); err != nil {
		t.Fatal(err)
	}
	for range 3 { // what is left of the moved partitions
		acknowledgeInOrder(t, second, moved)
	}
	checkNothingLeft(t, second)
}

// holdEverySecond receives all and returns what it does not acknowledge, and
// the offset of the first of these in each partition.
func holdEverySecond(t *testing.T, s *subscription, total int) (held []driver.AckID, floor map[int32]int64) {
	t.Helper()
	floor = map[int32]int64{}
	var acked []driver.AckID
	for n := 0; n < total; {
		messages, err := s.ReceiveBatch(t.Context(), 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range messages {
			d := m.AckID.(*delivery)
			if n++; d.offset%2 == 0 {
				acked = append(acked, d)
				continue
			}
			held = append(held, d)
			if _, ok := floor[d.of.partition]; !ok {
				floor[d.of.partition] = d.offset
			}
		}
	}
	if err := s.SendAcks(t.Context(), acked); err != nil {
		t.Fatal(err)
	}
	return held, floor
}

func acknowledgeInOrder(t *testing.T, s *subscription, first map[int32]int64) {
	t.Helper()
	messages, err := s.ReceiveBatch(t.Context(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		d := m.AckID.(*delivery)
		if _, ok := first[d.of.partition]; !ok {
			first[d.of.partition] = d.offset
		}
		if err := s.SendAcks(t.Context(), []driver.AckID{d}); err != nil {
			t.Fatal(err)
		}
	}
}

func lostOf(ids []driver.AckID) []driver.AckID {
	var lost []driver.AckID
	for _, id := range ids {
		if id.(*delivery).of.lost {
			lost = append(lost, id)
		}
	}
	return lost
}

func checkNothingLeft(t *testing.T, s *subscription) {
	t.Helper()
	var n int64
	var err error
	for range 100 {
		if n, err = (&Backlogger{s}).Backlog(t.Context()); err != nil || n == 0 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if n != 0 || err != nil {
		t.Errorf("the backlog is %d, %v, want nothing", n, err)
	}
}

func TestACommitThatFailsIsTriedAgain(t *testing.T) {
	leaveNothing(t)
	cluster := startKafka(t)
	a := address(t, cluster, 1)
	publish(t, a, 10)
	s := open(t, a)
	defer shutDown(t, s)
	refused := false
	cluster.ControlKey(int16(kmsg.OffsetCommit), func(request kmsg.Request) (kmsg.Response, error, bool) {
		refused = true
		response := request.ResponseKind().(*kmsg.OffsetCommitResponse)
		response.Topics = []kmsg.OffsetCommitResponseTopic{{
			Topic:      "texts",
			Partitions: []kmsg.OffsetCommitResponseTopicPartition{{ErrorCode: kerr.RebalanceInProgress.Code}},
		}}
		return response, nil, true
	})
	for range 10 {
		receive(t, s).Ack()
	}
	checkBacklog(t, s, 0)
	if !refused {
		t.Error("no commit was refused")
	}
}

func TestCloseSaysThatItCouldNotCommit(t *testing.T) {
	leaveNothing(t)
	cluster := startKafka(t)
	a := address(t, cluster, 1)
	publish(t, a, 10)
	s, err := newSubscription(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	ids := receiveUntilSilent(t, s)
	cluster.Close()
	if err := s.SendAcks(t.Context(), ids); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	err = s.Close()
	if err == nil || !strings.Contains(err.Error(), "committing the offsets of group starling for topic texts at "+a.servers()) {
		t.Errorf("got the error %v, want one about the commit", err)
	}
	if took := time.Since(begin); took > 3*leaveTimeout {
		t.Errorf("Close took %v", took)
	}
}

func TestASubscriptionMakesNoTopic(t *testing.T) {
	leaveNothing(t)
	a := address(t, startKafka(t), 1)
	_, err := OpenSubscription(t.Context(), a)
	if !errors.Is(err, kerr.UnknownTopicOrPartition) || !strings.Contains(err.Error(), "topic texts at "+a.servers()) ||
		!strings.Contains(err.Error(), "?partitions=N") {
		t.Errorf("got the error %v, want one that says that the topic is absent and what to do", err)
	}
	for range 2 { // the second time shows that the first made nothing
		if err := CheckSubscription(t.Context(), a); !errors.Is(err, kerr.UnknownTopicOrPartition) {
			t.Errorf("the check gave the error %v, want that the topic is absent", err)
		}
		if err := CheckTopic(t.Context(), a); err != nil {
			t.Errorf("a topic that would be made: %v", err)
		}
	}
	publish(t, a, 1)
	if err := errors.Join(CheckSubscription(t.Context(), a), CheckTopic(t.Context(), a)); err != nil {
		t.Error(err)
	}
}

func TestReceiveEndsWithItsContext(t *testing.T) {
	leaveNothing(t)
	a := address(t, startKafka(t), 1)
	publish(t, a, 1)
	s := open(t, a)
	defer shutDown(t, s)
	receive(t, s).Ack()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.Receive(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got the error %v, want that of the context", err)
	}
}
