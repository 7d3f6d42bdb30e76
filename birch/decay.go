package birch

import (
	"fmt"
	"slices"
)

// Decay multiplies the weight of every vector so far by a factor over 0 and up to
// 1, so that what comes later counts for more: means stay, N and S shrink. The tree
// has no clock; the caller says when, after so many vectors or so much time. It
// takes the same time for an entry of any dimension. No entry becomes lighter than
// 2^-100; but with Criterion Radius a vector moves an entry that is much lighter to
// where it is itself, however far, so let the light ones [Tree.Expire].
func (t *Tree) Decay(factor float64) error {
	if !(factor > 0 && factor <= 1) {
		return fmt.Errorf("decaying by %g, want a factor over 0 and up to 1", factor)
	}
	t.spill.decay(factor)
	stopped := t.entries.decay(factor)
	if t.centres.decay(factor) || stopped {
		t.sumAll()
	}
	return nil
}

// decay multiplies all weights by a factor, and reports whether it left out some
// that are as light as may be.
func (f *features) decay(factor float64) (stopped bool) {
	for slot := range f.moments {
		switch m := &f.moments[slot]; {
		case m.n*factor >= minWeight:
			m.n, m.s = m.n*factor, m.s*factor
		case m.n > 0: // it is not the root's centre
			stopped = true
		}
	}
	return stopped
}

// Expire takes out the entries, spilled ones too, whose weight is below a floor and
// returns their ids in ascending order. The ids end.
func (t *Tree) Expire(floor float64) []ID {
	var expired []ID
	for slot := int32(0); int(slot) < t.Len(); {
		if t.entries.moments[slot].n < floor {
			expired = append(expired, t.entries.ids[slot])
			t.unlink(slot) // another entry has the slot now
		} else {
			slot++
		}
	}
	if len(expired) > 0 {
		t.shrinkRoot()
		t.sumAll()
	}
	for slot := int32(0); int(slot) < t.spill.len(); {
		if t.spill.moments[slot].n < floor {
			expired = append(expired, t.spill.ids[slot])
			t.spill.strike(slot)
		} else {
			slot++
		}
	}
	slices.Sort(expired)
	return expired
}

// sumAll makes the centres of all nodes but the root the sums of their children.
func (t *Tree) sumAll() {
	levels := t.levels()
	for i := len(levels) - 1; i > 0; i-- {
		for _, at := range levels[i] {
			t.sumUp(at)
		}
	}
}
