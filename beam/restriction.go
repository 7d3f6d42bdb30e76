package beam

import (
	"encoding/binary"
	"errors"
	"reflect"
	"slices"
	"time"

	sdk "github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/sdf"
)

// A restriction is what one reader of a subscription has to do: acknowledge what it
// read before, and read on. A message is acknowledged by the restriction that comes
// after the one that read it, because a runner hands that out only when the bundle of
// the message is committed. (The SDK's bundle finalisation calls back for the first
// bundle alone.)
type restriction struct {
	// Pending are the messages that were read and are not acknowledged, in the order
	// they were read.
	Pending []pulled
	// Last says that nothing more is to be read.
	Last bool
}

// A pulled is what one pull brought: the time it came and the names by which the
// broker knows the messages' deliveries.
type pulled struct {
	At   time.Time
	Acks []string
}

func init() {
	sdk.RegisterCoder(reflect.TypeFor[restriction](), encodeRestriction, decodeRestriction)
}

func encodeRestriction(r restriction) []byte {
	b := binary.AppendUvarint(nil, uint64(len(r.Pending)))
	for _, p := range r.Pending {
		b = binary.AppendUvarint(appendTime(b, p.At), uint64(len(p.Acks)))
		for _, ack := range p.Acks {
			b = appendString(b, ack)
		}
	}
	if r.Last {
		return append(b, 1)
	}
	return append(b, 0)
}

func decodeRestriction(data []byte) (restriction, error) {
	r := reader{rest: data}
	var rest restriction
	for range r.length() {
		p := pulled{At: r.time()}
		for range r.length() {
			p.Acks = append(p.Acks, r.string())
		}
		rest.Pending = append(rest.Pending, p)
	}
	rest.Last = r.uvarint() == 1
	return rest, r.end("restriction")
}

// due returns the messages that were read before a time.
func (r restriction) due(before time.Time) (acks []string) {
	for _, p := range r.Pending {
		if p.At.Before(before) {
			acks = append(acks, p.Acks...)
		}
	}
	return acks
}

// A tracker tracks a restriction while it is worked on. What it can claim is a
// [pulled], an [acknowledged] or [finished]. It is used through a [sdf.LockRTracker],
// so a split by the runner and a claim do not meet: a claim that comes after the
// split is refused, and one that comes before is in the residual.
type tracker struct {
	rest restriction
	done bool
	err  error
}

type (
	// An acknowledged claims that what was pulled before a time is acknowledged.
	acknowledged time.Time
	// A finished claims that there is nothing more to do.
	finished struct{}
)

func newTracker(r restriction) *sdf.LockRTracker {
	r.Pending = slices.Clone(r.Pending)
	return sdf.NewLockRTracker(&tracker{rest: r})
}

// TryClaim implements sdf.RTracker.
func (t *tracker) TryClaim(position any) bool {
	if t.done {
		return false
	}
	switch p := position.(type) {
	case pulled:
		t.rest.Pending = append(t.rest.Pending, p)
	case acknowledged:
		t.rest.Pending = slices.DeleteFunc(t.rest.Pending, func(q pulled) bool { return q.At.Before(time.Time(p)) })
	case finished:
		t.done = true
	default:
		t.err = errors.New("a claim of an unknown type")
		return false
	}
	return true
}

// GetError implements sdf.RTracker.
func (t *tracker) GetError() error { return t.err }

// TrySplit implements sdf.RTracker. All that is left goes to the residual, and only
// when the runner asks for a checkpoint: a subscription has no middle.
func (t *tracker) TrySplit(fraction float64) (primary, residual any, err error) {
	if fraction > 0 || t.done {
		return t.rest, nil, nil
	}
	residual = t.rest
	t.rest, t.done = restriction{}, true
	return t.rest, residual, nil
}

// GetProgress implements sdf.RTracker.
func (t *tracker) GetProgress() (done, remaining float64) {
	if t.done {
		return 1, 0
	}
	return 0, 1
}

// IsDone implements sdf.RTracker.
func (t *tracker) IsDone() bool { return t.done }

// GetRestriction implements sdf.RTracker.
func (t *tracker) GetRestriction() any { return t.rest }

// IsBounded implements sdf.BoundableRTracker.
func (t *tracker) IsBounded() bool { return t.rest.Last }
