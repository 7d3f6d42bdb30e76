package beam

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"time"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	sdk "github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph/mtime"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/sdf"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"google.golang.org/protobuf/proto"
)

func init() {
	sdk.RegisterDoFn(reflect.TypeFor[readFn]())
	register.Emitter2[sdk.EventTime, []byte]()
	sdk.RegisterType(reflect.TypeFor[readFn]())
}

// readFn reads a subscription: an unbounded splittable DoFn whose restriction holds
// what is to be acknowledged. Its element is the address of the subscription, its
// output are messages in the wire form of [pubsubpb.PubsubMessage], as the native
// read of Dataflow gives them.
type readFn struct {
	// Readers is how many read side by side.
	Readers int
	// AckDelay is how long a message is held before it is acknowledged.
	AckDelay time.Duration
	// UntilIdle, unless zero, ends the reading when nothing came for so long.
	UntilIdle time.Duration
}

const (
	// bundleMessages is after how many messages a reader makes a checkpoint.
	bundleMessages = 2000
	// bundleTime is after how long it makes one.
	bundleTime = 200 * time.Millisecond
	// mostPending bounds the messages that one restriction holds.
	mostPending = 200_000
	// watermarkLag is how far the watermark stays behind the clock while nothing comes.
	watermarkLag = 10 * time.Second
)

// CreateInitialRestriction returns a reader's restriction.
func (fn *readFn) CreateInitialRestriction(string) restriction { return restriction{} }

// SplitRestriction makes one restriction for each reader.
func (fn *readFn) SplitRestriction(_ string, r restriction) []restriction {
	all := make([]restriction, max(1, fn.Readers))
	for i := range all {
		all[i] = r
	}
	return all
}

// RestrictionSize says that all readers have the same to do: what waits for them,
// the broker may not know.
func (fn *readFn) RestrictionSize(string, restriction) float64 { return 1 }

// CreateTracker returns the tracker of a restriction.
func (fn *readFn) CreateTracker(r restriction) *sdf.LockRTracker { return newTracker(r) }

// TruncateRestriction leaves of a restriction, when the pipeline drains, what is to
// be acknowledged.
func (fn *readFn) TruncateRestriction(rt *sdf.LockRTracker, _ string) restriction {
	r := rt.GetRestriction().(restriction)
	r.Last = true
	return r
}

// InitialWatermarkEstimatorState begins with the time of the element.
func (fn *readFn) InitialWatermarkEstimatorState(at sdk.EventTime, _ restriction, _ string) int64 {
	return at.Milliseconds()
}

// CreateWatermarkEstimator returns the estimator of a state.
func (fn *readFn) CreateWatermarkEstimator(state int64) *sdf.ManualWatermarkEstimator {
	return &sdf.ManualWatermarkEstimator{State: mtime.FromMilliseconds(state).ToTime()}
}

// WatermarkEstimatorState returns the state of an estimator.
func (fn *readFn) WatermarkEstimatorState(e *sdf.ManualWatermarkEstimator) int64 {
	return mtime.FromTime(e.State).Milliseconds()
}

// ProcessElement acknowledges what was committed, reads for a short while, and makes
// a checkpoint.
func (fn *readFn) ProcessElement(
	ctx context.Context, watermark *sdf.ManualWatermarkEstimator, rt *sdf.LockRTracker,
	address string, emit func(sdk.EventTime, []byte),
) (sdf.ProcessContinuation, error) {
	subscription, err := subscribe(address)
	if err != nil {
		return sdf.StopProcessing(), err
	}
	rest := rt.GetRestriction().(restriction)
	left := fn.acknowledge(ctx, subscription, rt, rest)
	if rest.Last {
		if left > 0 {
			return sdf.ResumeProcessingIn(bundleTime), nil
		}
		rt.TryClaim(finished{})
		return sdf.StopProcessing(), nil
	}
	if left >= mostPending {
		return sdf.ResumeProcessingIn(bundleTime), nil
	}
	r := reading{fn: fn, subscription: subscription, rt: rt, watermark: watermark, emit: emit}
	read, err := r.read(ctx)
	switch {
	case err != nil:
		return sdf.StopProcessing(), err
	case read == 0 && left == 0 && fn.UntilIdle > 0 && subscription.idle() >= fn.UntilIdle:
		rt.TryClaim(finished{})
		return sdf.StopProcessing(), nil
	}
	return sdf.ResumeProcessingIn(0), nil
}

// acknowledge acknowledges what is due and returns how many messages are left. A
// broker that cannot be reached is asked again by the next restriction.
func (fn *readFn) acknowledge(ctx context.Context, s *subscription, rt *sdf.LockRTracker, rest restriction) (left int) {
	for _, p := range rest.Pending {
		left += len(p.Acks)
	}
	now := time.Now()
	acks := rest.due(now.Add(-fn.AckDelay))
	if len(acks) == 0 {
		return left
	}
	if err := s.broker.acknowledge(ctx, acks); err != nil {
		slog.Warn("acknowledging; will try again", "messages", len(acks), "error", err)
		return left
	}
	rt.TryClaim(acknowledged(now.Add(-fn.AckDelay)))
	return left - len(acks)
}

// A reading is one bundle of a reader.
type reading struct {
	fn           *readFn
	subscription *subscription
	rt           *sdf.LockRTracker
	watermark    *sdf.ManualWatermarkEstimator
	emit         func(sdk.EventTime, []byte)
}

// read reads until the bundle is full or its time is over, and returns how many
// messages it emitted.
func (r *reading) read(ctx context.Context) (int, error) {
	end := time.Now().Add(bundleTime)
	count := 0
	for count < bundleMessages {
		messages, err := r.subscription.take(ctx, time.Until(end), r.fn.lease())
		if err != nil {
			return count, err
		}
		if len(messages) == 0 {
			break
		}
		if !r.rt.TryClaim(pulled{At: time.Now(), Acks: acksOf(messages)}) {
			// The runner made the checkpoint. What came since belongs to nobody.
			r.subscription.broker.release(ctx, acksOf(messages))
			return count, nil
		}
		if err := r.emitAll(messages); err != nil {
			return count, err
		}
		count += len(messages)
	}
	if count == 0 {
		r.advance(time.Now().Add(-watermarkLag))
	}
	return count, nil
}

// emitAll emits messages, each with the time it was published, and then moves the
// watermark to the earliest of them: a broker that redelivers may bring earlier ones
// still.
func (r *reading) emitAll(messages []delivery) error {
	earliest := time.Now()
	for _, m := range messages {
		data, err := proto.Marshal(m.message)
		if err != nil {
			return fmt.Errorf("encoding message %s: %w", m.message.MessageId, err)
		}
		at := published(m.message)
		r.emit(mtime.FromTime(at), data)
		if at.Before(earliest) {
			earliest = at
		}
	}
	r.advance(earliest)
	return nil
}

// advance moves the watermark, which never goes back.
func (r *reading) advance(to time.Time) {
	if to.After(r.watermark.State) {
		r.watermark.UpdateWatermark(to)
	}
}

// published is when a message was published or, where the broker does not say, now.
func published(m *pubsubpb.PubsubMessage) time.Time {
	if m.PublishTime == nil {
		return time.Now()
	}
	return m.PublishTime.AsTime()
}

// lease is how long the broker must leave the messages of a bundle alone.
func (fn *readFn) lease() time.Duration { return fn.AckDelay + time.Minute }

func acksOf(messages []delivery) []string {
	acks := make([]string, len(messages))
	for i, m := range messages {
		acks[i] = m.ack
	}
	return acks
}
