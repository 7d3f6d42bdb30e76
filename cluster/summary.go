package cluster

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"starling"
	"starling/birch"
)

// A Summary is what people see of a cluster.
type Summary struct {
	ID   starling.ClusterID `json:"id"`
	Size int64              `json:"size"`
	// Name is what people call the cluster, if anything: see [State.Edit].
	Name string `json:"name,omitempty"`
	// Pinned says that the cluster is not split, nor joined with another pinned
	// one.
	Pinned bool `json:"pinned,omitempty"`
	// Terms are the words that set the cluster apart, best first.
	Terms []string `json:"terms"`
	// Text is the text of one document that stands for the others.
	Text string `json:"text"`
	// Texts are texts of documents that stand for different sides of the
	// cluster, Text among them, at most three.
	Texts []string `json:"texts"`
	// Duplicates is how many documents said nearly the same as others in the
	// cluster.
	Duplicates int64 `json:"duplicates,omitempty"`
	// Outlier says that the cluster is one document without company.
	Outlier bool `json:"outlier,omitempty"`
}

// Clusters returns the clusters, largest first; limit 0 means all.
func (s *State) Clusters(limit int) []Summary {
	order := slices.Clone(s.groups)
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
	i, ok := s.find(id)
	if !ok {
		return Summary{}, false
	}
	return s.summary(s.groups[i]), true
}

// summaryTexts is how many texts stand for a cluster.
const summaryTexts = 3

func (s *State) summary(g *group) Summary {
	micros := g.bySize()
	texts := representatives(micros)
	summary := Summary{
		ID: g.id, Size: g.size, Name: g.name, Pinned: g.pinned,
		Terms: termsOf(micros, s.common), Text: texts[0], Texts: texts, Outlier: g.size == 1,
	}
	for _, m := range micros {
		summary.Duplicates += m.duplicates
	}
	return summary
}

// bySize returns the micro-clusters of a cluster, largest first.
func (g *group) bySize() []*micro {
	micros := slices.Collect(maps.Values(g.micros))
	sortBySize(micros)
	return micros
}

func sortBySize(micros []*micro) {
	slices.SortFunc(micros, func(a, b *micro) int {
		return cmp.Or(cmp.Compare(b.size, a.size), cmp.Compare(a.id, b.id))
	})
}

// representatives returns the texts of the largest micro-clusters, which differ
// in what they are about, each once.
func representatives(micros []*micro) []string {
	texts := make([]string, 0, summaryTexts)
	for _, m := range micros {
		if len(texts) == summaryTexts {
			break
		}
		if !slices.Contains(texts, m.text.text) {
			texts = append(texts, m.text.text)
		}
	}
	return texts
}

// A Match is a cluster that a vector is like.
type Match struct {
	Summary
	// Similarity is the cosine of the vector and the centroid of the
	// cluster's nearest micro-cluster.
	Similarity float64 `json:"similarity"`
	// Joins says whether a document with this vector would join the cluster.
	// At most one cluster is joined, and it comes first.
	Joins bool `json:"joins"`
}

// Assign returns the k clusters that a vector is most like: the one that a
// document with it would join, then by the nearest micro-cluster. It learns
// nothing.
func (s *State) Assign(vector []float32, k int) ([]Match, error) {
	if k < 1 {
		return nil, fmt.Errorf("looking up a vector: %d clusters", k)
	}
	near, err := s.tree.Nearest(vector, max(1, s.tree.Len()))
	if err != nil {
		return nil, fmt.Errorf("looking up a vector: %w", err)
	}
	joined := s.joined(vector, near)
	matches := make([]Match, 0, k+1)
	seen := make(map[*group]bool)
	for _, n := range near {
		g := s.micros[n.ID].group
		if seen[g] || len(seen) >= k && g != joined {
			continue
		}
		seen[g] = true
		match := Match{Summary: s.summary(g), Similarity: n.Similarity, Joins: g == joined}
		if match.Joins {
			matches = slices.Insert(matches, 0, match)
		} else {
			matches = append(matches, match)
		}
	}
	return matches[:min(k, len(matches))], nil
}

// joined returns the cluster that a document with a vector would join, if any;
// near holds the micro-clusters, nearest first.
func (s *State) joined(vector []float32, near []birch.Neighbour) *group {
	if len(near) > 0 && near[0].Similarity >= 1-s.Threshold()*s.Threshold() {
		return s.micros[near[0].ID].group
	}
	dots, bound := s.compared(vector)
	return s.nearest(vector, dots, bound)
}
