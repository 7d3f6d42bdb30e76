package cluster

import "fmt"

const (
	// swallowedShare is the share of a stream above which one cluster is
	// suspiciously large.
	swallowedShare = 0.7
	// aloneShare is the share of documents above which suspiciously many are
	// without company.
	aloneShare = 0.8
)

// Warning says what looks wrong about the clusters as a whole and what to do, and
// is empty where nothing does. It has no opinion before the stream has some
// hundred documents.
func (s *State) Warning() string {
	remaining := s.documents - s.Deleted()
	if remaining < calibrationDocuments {
		return ""
	}
	var largest *group
	alone := 0
	for _, g := range s.groups {
		if largest == nil || g.size > largest.size {
			largest = g
		}
		if g.size == 1 {
			alone++
		}
	}
	switch documents := float64(remaining); {
	case largest != nil && float64(largest.size) > swallowedShare*documents:
		return fmt.Sprintf("cluster %v holds %.0f%% of all documents: perhaps they are all about one thing to this model; "+
			"a lower threshold than %.2f or another model may tell them apart", largest.id, 100*float64(largest.size)/documents, s.Threshold())
	case float64(alone) > aloneShare*documents:
		return fmt.Sprintf("%.0f%% of all documents are alone: perhaps the model sees nothing that they have in common; "+
			"a higher threshold than %.2f or another model may bring them together", 100*float64(alone)/documents, s.Threshold())
	}
	return ""
}
