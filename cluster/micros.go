package cluster

import (
	"iter"

	"starling"
	"starling/birch"
)

// A Micro is one micro-cluster as it is at one moment.
type Micro struct {
	ID      starling.MicroID
	Cluster starling.ClusterID
	// Size is the number of its documents.
	Size int64
	// Mean is the mean of their vectors. It belongs to the state and is valid
	// until the next document is applied.
	Mean []float32
}

// EachMicro yields the micro-clusters in the order of the tree. The state must not
// be changed meanwhile.
func (s *State) EachMicro() iter.Seq[Micro] {
	return func(yield func(Micro) bool) {
		for entry := range s.tree.Entries() {
			m := s.micros[entry.ID]
			if !yield(Micro{ID: starling.MicroID(m.id), Cluster: m.group.id, Size: m.size, Mean: entry.Mean}) {
				return
			}
		}
	}
}

// MicroTerms returns the words that set a micro-cluster apart, best first, or nil
// where there is none of that id.
func (s *State) MicroTerms(id starling.MicroID) []string {
	m, ok := s.micros[birch.ID(id)]
	if !ok {
		return nil
	}
	return termsOf([]*micro{m}, s.common)
}
