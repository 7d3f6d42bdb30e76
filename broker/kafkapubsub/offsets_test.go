package kafkapubsub

import (
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"gocloud.dev/pubsub/driver"
	"pgregory.net/rapid"
)

func hold(tracker *offsetTracker, partition int32, offset int64) *delivery {
	d := tracker.add(&kgo.Record{Partition: partition, Offset: offset, LeaderEpoch: 7, Value: []byte("xy")})
	if d != nil {
		d.message = &driver.Message{AckID: d}
	}
	return d
}

func TestAGapHoldsTheOffset(t *testing.T) {
	tracker := newOffsetTracker()
	tracker.assign([]int32{3})
	first, second, third := hold(tracker, 3, 10), hold(tracker, 3, 11), hold(tracker, 3, 15)
	tracker.ack(third)
	tracker.ack(second)
	if got := tracker.uncommitted(); len(got) > 0 {
		t.Errorf("without the first acknowledged, %v may be committed", got)
	}
	tracker.ack(first)
	if got := tracker.uncommitted()[3]; got != (kgo.EpochOffset{Epoch: 7, Offset: 16}) {
		t.Errorf("with all acknowledged, %v may be committed, want offset 16 of epoch 7", got)
	}
	tracker.commit(tracker.uncommitted())
	if got := tracker.uncommitted(); len(got) > 0 {
		t.Errorf("%v may be committed again", got)
	}
}

func TestALostPartitionIsNotCommitted(t *testing.T) {
	tracker := newOffsetTracker()
	tracker.assign([]int32{0})
	before := hold(tracker, 0, 5)
	tracker.nack([]*delivery{before})
	tracker.lose([]int32{0})
	if hold(tracker, 0, 6) != nil {
		t.Error("a record of a lost partition was held")
	}
	tracker.assign([]int32{0}) // it comes back, perhaps further on
	tracker.ack(before)
	tracker.nack([]*delivery{before})
	if got := tracker.uncommitted(); len(got) > 0 || len(tracker.takeAgain(9)) > 0 || tracker.count != 0 || tracker.bytes != 0 {
		t.Errorf("a delivery of before counts: %v, %+v", got, tracker)
	}
}

// TestTheTrackerAgainstAModel acknowledges, gives back, takes again, loses and
// assigns at random, and compares with a list of all offsets.
func TestTheTrackerAgainstAModel(t *testing.T) {
	const partitions = 3
	rapid.Check(t, func(t *rapid.T) {
		tracker := newOffsetTracker()
		var model [partitions]*modelPartition
		partition := rapid.Int32Range(0, partitions-1)
		t.Repeat(map[string]func(*rapid.T){
			"assign": func(t *rapid.T) {
				if p := partition.Draw(t, "p"); model[p] == nil {
					model[p] = &modelPartition{}
					tracker.assign([]int32{p})
				}
			},
			"lose": func(t *rapid.T) {
				p := partition.Draw(t, "p")
				model[p] = nil
				tracker.lose([]int32{p})
			},
			"add": func(t *rapid.T) {
				p := partition.Draw(t, "p")
				if model[p] != nil {
					model[p].offset += rapid.Int64Range(1, 3).Draw(t, "step")
					model[p].all = append(model[p].all, hold(tracker, p, model[p].offset))
				}
			},
			"ack": func(t *rapid.T) {
				if d := model[partition.Draw(t, "p")].draw(t); d != nil {
					tracker.ack(d)
				}
			},
			"nack": func(t *rapid.T) {
				if d := model[partition.Draw(t, "p")].draw(t); d != nil {
					tracker.nack([]*delivery{d, d})
				}
			},
			"take": func(t *rapid.T) {
				for _, m := range tracker.takeAgain(2) {
					if d := m.AckID.(*delivery); d.acked || d.of.lost {
						t.Error("something settled was taken again")
					}
				}
			},
			"": func(t *rapid.T) { checkModel(t, tracker, model[:]) },
		})
	})
}

type modelPartition struct {
	offset int64
	all    []*delivery
}

// draw draws any delivery, settled or not.
func (m *modelPartition) draw(t *rapid.T) *delivery {
	if m == nil || len(m.all) == 0 {
		return nil
	}
	return rapid.SampledFrom(m.all).Draw(t, "delivery")
}

func checkModel(t *rapid.T, tracker *offsetTracker, model []*modelPartition) {
	uncommitted := tracker.uncommitted()
	count, bytes := 0, 0
	for p, m := range model {
		if m == nil {
			continue
		}
		gap := slices.IndexFunc(m.all, func(d *delivery) bool { return !d.acked })
		if gap < 0 {
			gap = len(m.all)
		}
		var want int64
		if gap > 0 {
			want = m.all[gap-1].offset + 1
		}
		if got := uncommitted[int32(p)].Offset; got != want {
			t.Errorf("partition %d: offset %d may be committed, want %d", p, got, want)
		}
		for _, d := range m.all[gap:] {
			count++
			if !d.acked {
				bytes += 2
			}
		}
	}
	if tracker.count != count || tracker.bytes != bytes {
		t.Errorf("%d messages of %d bytes are held, want %d of %d", tracker.count, tracker.bytes, count, bytes)
	}
}
