package eval

import (
	"cmp"
	"maps"
	"slices"

	"starling"
)

// A Result is what a replay came to. The fields of the embedded [Scoring] are
// about the clusters that documents have at the end of the stream.
type Result struct {
	Scoring
	// Arrival is about the clusters that documents were put into when they
	// came, before those were merged. Its churn is the share of documents put
	// into a cluster that had not begun or had ended.
	Arrival Scoring `json:"arrival"`
	// Threshold is the one in force at the end of the stream.
	Threshold float64 `json:"threshold"`
	// Largest are the largest clusters, for the report.
	Largest []Cluster `json:"-"`
}

// A Scoring says how good one clustering of the stream is.
type Scoring struct {
	Window
	// Churn is the share of documents whose cluster changed without an event
	// that explains it. It must be 0.
	Churn float64 `json:"churn"`
	// Seconds is how long the replay took.
	Seconds float64 `json:"seconds"`
	// Windows are [WindowCount] parts of the stream, scored one by one.
	Windows []Window `json:"windows"`
}

// A Window is a part of the stream, or all of it.
type Window struct {
	Scores
	// Silhouette is the mean of [Silhouettes] over the part's documents, with
	// the clusters of the whole stream. It is absent for streams of more than
	// 2^27 values in vectors, and where there are no documents.
	Silhouette *float64 `json:"silhouette,omitempty"`
}

// A Cluster is what a report shows of a cluster.
type Cluster struct {
	ID   starling.ClusterID
	Size int
	// Terms are the words that set it apart, as package cluster finds them.
	Terms []string
	// Labels are its documents' labels, the commonest first.
	Labels []LabelCount
	// Texts are a few of its documents' texts, the first of them that which
	// stands for the cluster.
	Texts []string
}

// A LabelCount is how many documents of a cluster have a label.
type LabelCount struct {
	Label string
	Count int
}

const (
	// largestClusters is how many clusters a report shows.
	largestClusters = 60
	// exampleTexts is how many texts it shows of each.
	exampleTexts = 4
)

// largest returns the clusters with the most documents.
func (r *Replay) largest(end []starling.ClusterID) []Cluster {
	members := make(map[starling.ClusterID][]int)
	for i, id := range end {
		members[id] = append(members[id], i)
	}
	ids := slices.SortedFunc(maps.Keys(members), func(a, b starling.ClusterID) int {
		return cmp.Or(cmp.Compare(len(members[b]), len(members[a])), cmp.Compare(a, b))
	})
	clusters := make([]Cluster, 0, largestClusters)
	for _, id := range ids[:min(len(ids), largestClusters)] {
		clusters = append(clusters, r.cluster(id, members[id]))
	}
	return clusters
}

func (r *Replay) cluster(id starling.ClusterID, members []int) Cluster {
	c := Cluster{ID: id, Size: len(members)}
	if summary, live := r.state.Cluster(id); live {
		c.Terms = summary.Terms
		c.Texts = append(c.Texts, summary.Text)
	}
	counts := make(map[string]int)
	for _, i := range members {
		counts[r.labels[i]]++
		if len(c.Texts) < exampleTexts && !slices.Contains(c.Texts, r.texts[i]) {
			c.Texts = append(c.Texts, r.texts[i])
		}
	}
	for label, count := range counts {
		c.Labels = append(c.Labels, LabelCount{label, count})
	}
	slices.SortFunc(c.Labels, func(a, b LabelCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Label, b.Label))
	})
	return c
}
