package kafkapubsub

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"
	"gocloud.dev/pubsub/driver"
)

// An assignment is what a reader holds of one partition, from when the group
// gives it the partition to when the group takes it away.
type assignment struct {
	partition int32
	// held are the deliveries from the first that is not acknowledged on, in
	// the order of their offsets.
	held []*delivery
	// next is the offset past all that is acknowledged without a gap, with the
	// leader's epoch of the record before it; committed is what the group knows
	// of it. Both are 0 until something is acknowledged: offset 0 is never past
	// a record.
	next, committed kgo.EpochOffset
	lost            bool
}

// A delivery is one record that was received.
type delivery struct {
	of     *assignment
	offset int64
	epoch  int32
	bytes  int
	acked  bool
	again  bool // waits to be returned again
	// message is what ReceiveBatch returned; nil once acknowledged.
	message *driver.Message
}

// An offsetTracker knows what a reader holds and which offsets may be committed.
// It does no I/O and is not safe for concurrent use.
type offsetTracker struct {
	assigned map[int32]*assignment
	// again are the deliveries given back, in the order of their offsets.
	again []*delivery
	// count and bytes are of everything held; those acknowledged beyond a gap
	// count, for they take room too, but their bytes are free.
	count, bytes int
}

func newOffsetTracker() *offsetTracker {
	return &offsetTracker{assigned: map[int32]*assignment{}}
}

// assign takes partitions over.
func (t *offsetTracker) assign(partitions []int32) {
	for _, p := range partitions {
		t.assigned[p] = &assignment{partition: p}
	}
}

// lose forgets partitions and all that is held of them.
func (t *offsetTracker) lose(partitions []int32) {
	for _, p := range partitions {
		a := t.assigned[p]
		if a == nil {
			continue
		}
		a.lost = true
		for _, d := range a.held {
			t.release(d)
			t.count--
		}
		delete(t.assigned, p)
	}
	t.again = slices.DeleteFunc(t.again, func(d *delivery) bool { return d.of.lost })
}

// add holds a record. It returns nil for one of a partition that is not this
// reader's.
func (t *offsetTracker) add(record *kgo.Record) *delivery {
	a := t.assigned[record.Partition]
	if a == nil {
		return nil
	}
	d := &delivery{of: a, offset: record.Offset, epoch: record.LeaderEpoch, bytes: size(record)}
	a.held = append(a.held, d)
	t.count++
	t.bytes += d.bytes
	return d
}

// ack settles a delivery. It does nothing when that was acknowledged before or
// is of a partition that was lost since.
func (t *offsetTracker) ack(d *delivery) {
	if d.acked || d.of.lost {
		return
	}
	d.acked = true
	t.release(d)
	if d.again {
		t.again = slices.DeleteFunc(t.again, func(other *delivery) bool { return other == d })
	}
	for a := d.of; len(a.held) > 0 && a.held[0].acked; a.held = a.held[1:] {
		first := a.held[0]
		a.next = kgo.EpochOffset{Epoch: first.epoch, Offset: first.offset + 1}
		t.count--
	}
}

// release frees the memory of a delivery's message, once.
func (t *offsetTracker) release(d *delivery) {
	t.bytes -= d.bytes
	d.bytes, d.message = 0, nil
}

// nack has deliveries returned by takeAgain, those acknowledged or lost excepted.
func (t *offsetTracker) nack(deliveries []*delivery) {
	for _, d := range deliveries {
		if !d.acked && !d.of.lost && !d.again {
			d.again = true
			t.again = append(t.again, d)
		}
	}
	slices.SortStableFunc(t.again, func(x, y *delivery) int {
		if x.of != y.of {
			return int(x.of.partition) - int(y.of.partition)
		}
		return int(min(1, max(-1, x.offset-y.offset)))
	})
}

// takeAgain returns up to most messages that were given back.
func (t *offsetTracker) takeAgain(most int) []*driver.Message {
	n := min(most, len(t.again))
	messages := make([]*driver.Message, n)
	for i, d := range t.again[:n] {
		messages[i] = d.message
		d.again = false
	}
	t.again = slices.Delete(t.again, 0, n)
	return messages
}

// uncommitted returns the offsets that the group does not know yet.
func (t *offsetTracker) uncommitted() map[int32]kgo.EpochOffset {
	offsets := map[int32]kgo.EpochOffset{}
	for p, a := range t.assigned {
		if a.next != a.committed {
			offsets[p] = a.next
		}
	}
	return offsets
}

// commit says that the group knows offsets now.
func (t *offsetTracker) commit(offsets map[int32]kgo.EpochOffset) {
	for p, offset := range offsets {
		if a := t.assigned[p]; a != nil {
			a.committed = offset
		}
	}
}

// size is about the memory that a record takes.
func size(record *kgo.Record) int {
	n := len(record.Key) + len(record.Value)
	for _, header := range record.Headers {
		n += len(header.Key) + len(header.Value)
	}
	return n
}
