package cluster

import (
	"math"
	"time"

	"starling"
)

const (
	// expiredWeight is the weight below which a micro-cluster is given up: a
	// document is that light after some four half-lives.
	expiredWeight = 0.06
	// fadedWeight is the weight below which a cluster counts as faded: less than
	// that of one new document.
	fadedWeight = 1
)

// fade lets the documents before weigh less, by what has come or gone by since
// the last time, and ends what is left of micro-clusters and clusters that nothing
// was added to for long. now is the time of the document to come.
func (s *State) fade(now time.Time) []starling.Event {
	age := s.config.halfLives(s.documents-s.fadedAt, s.elapsed(now))
	s.fadedAt = s.documents
	if now.After(s.clock) {
		s.clock = now
	}
	if age == 0 {
		return nil
	}
	s.fadeTerms(age)
	if err := s.tree.Decay(max(math.Exp2(-age), math.SmallestNonzeroFloat64)); err != nil {
		panic("cluster: " + err.Error()) // the factor is over 0 and at most 1
	}
	var events []starling.Event
	for _, id := range s.tree.Expire(expiredWeight) {
		events = append(events, s.expire(s.micros[id])...)
	}
	return append(events, s.markFaded()...)
}

// elapsed is how much time has passed in the stream. Its clock is the latest time
// of a document; it never goes back.
func (s *State) elapsed(now time.Time) time.Duration {
	if s.clock.IsZero() || !now.After(s.clock) {
		return 0
	}
	return now.Sub(s.clock)
}

// halfLives is how many half-lives some documents and some time are.
func (c Config) halfLives(documents int64, elapsed time.Duration) float64 {
	age := 0.0
	if c.HalfLife > 0 {
		age += float64(documents) / float64(c.HalfLife)
	}
	if c.HalfLifeTime > 0 {
		age += float64(elapsed) / float64(c.HalfLifeTime)
	}
	return age
}

// fadeTerms halves the counts of terms, which are whole numbers, for every whole
// half-life.
func (s *State) fadeTerms(age float64) {
	s.termAge += age
	// No count has more bits than that.
	for range int(min(s.termAge, 64)) {
		for _, m := range s.micros {
			m.terms.halve()
		}
		s.common.halve()
	}
	_, s.termAge = math.Modf(s.termAge)
}

// expire forgets a micro-cluster. Its documents stay those of its cluster as long
// as that has others.
func (s *State) expire(m *micro) []starling.Event {
	delete(s.micros, m.id)
	delete(m.group.micros, m.id)
	if len(m.group.micros) > 0 {
		return nil
	}
	return s.expireGroup(m.group)
}

// expireGroup ends a cluster of which nothing is left but its documents.
func (s *State) expireGroup(g *group) []starling.Event {
	s.end(g)
	s.expired += g.size
	return []starling.Event{{Kind: starling.Expired, To: g.id, Size: g.size}}
}

// markFaded finds the clusters that have become light.
func (s *State) markFaded() []starling.Event {
	weights := make(map[*group]float64, len(s.groups))
	for entry := range s.tree.Entries() {
		weights[s.micros[entry.ID].group] += entry.N
	}
	var events []starling.Event
	for _, g := range s.groups {
		if g.faded || weights[g] >= fadedWeight {
			continue
		}
		g.faded = true
		if g.size > 1 {
			events = append(events, starling.Event{Kind: starling.Faded, To: g.id, Size: g.size})
		}
	}
	return events
}

// wake notes that a document came to a cluster.
func (g *group) wake() []starling.Event {
	if !g.faded {
		return nil
	}
	g.faded = false
	if g.size <= 2 { // fading of a single document was not worth an event
		return nil
	}
	return []starling.Event{{Kind: starling.Reactivated, To: g.id, Size: g.size}}
}
