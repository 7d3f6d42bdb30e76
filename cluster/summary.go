package cluster

import (
	"cmp"
	"fmt"
	"slices"

	"starling"
)

// A Summary is what people see of a cluster.
type Summary struct {
	ID   starling.ClusterID `json:"id"`
	Size int64              `json:"size"`
	// Terms are the words that set the cluster apart, best first.
	Terms []string `json:"terms"`
	// Text is the text of one document that stands for the others.
	Text string `json:"text"`
}

// Clusters returns the clusters, largest first; limit 0 means all.
func (s *State) Clusters(limit int) []Summary {
	order := make([]*group, 0, len(s.groups))
	for _, g := range s.groups {
		order = append(order, g)
	}
	slices.SortFunc(order, func(a, b *group) int {
		return cmp.Or(cmp.Compare(b.size, a.size), cmp.Compare(a.id, b.id))
	})
	if limit > 0 && limit < len(order) {
		order = order[:limit]
	}
	summaries := make([]Summary, len(order))
	for i, g := range order {
		summaries[i] = s.summary(g)
	}
	return summaries
}

// Cluster returns one cluster by its id.
func (s *State) Cluster(id starling.ClusterID) (Summary, bool) {
	g, ok := s.groups[id]
	if !ok {
		return Summary{}, false
	}
	return s.summary(g), true
}

func (s *State) summary(g *group) Summary {
	return Summary{ID: g.id, Size: g.size, Terms: g.terms.top(s.common), Text: g.text.text}
}

// A Match is a cluster that a vector is like.
type Match struct {
	Summary
	// Similarity is the cosine of the vector and the centroid of the
	// cluster's nearest micro-cluster.
	Similarity float64 `json:"similarity"`
	// Joins says whether a document with this vector would join the cluster;
	// if not, it is too far away.
	Joins bool `json:"joins"`
}

// Assign returns the k clusters that a vector is most like, best first. It
// learns nothing.
func (s *State) Assign(vector []float32, k int) ([]Match, error) {
	near, err := s.tree.Nearest(vector, k)
	if err != nil {
		return nil, fmt.Errorf("looking up a vector: %w", err)
	}
	least := 1 - s.Threshold()*s.Threshold()
	matches := make([]Match, 0, len(near))
	for _, n := range near {
		g := s.groups[s.owners[n.ID]]
		matches = append(matches, Match{
			Summary:    s.summary(g),
			Similarity: n.Similarity,
			Joins:      len(matches) == 0 && n.Similarity >= least,
		})
	}
	return matches, nil
}
