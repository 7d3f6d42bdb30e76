package eval

import (
	"slices"
	"testing"

	"starling"
)

func created(id starling.ClusterID) starling.Event {
	return starling.Event{Kind: starling.Created, To: id}
}

func merged(to starling.ClusterID, from ...starling.ClusterID) starling.Event {
	return starling.Event{Kind: starling.Merged, From: from, To: to}
}

func split(from, to starling.ClusterID, micros ...starling.MicroID) starling.Event {
	return starling.Event{Kind: starling.Split, From: []starling.ClusterID{from}, To: to, Micros: micros}
}

func joined(into starling.MicroID, to starling.ClusterID, micros ...starling.MicroID) starling.Event {
	return starling.Event{Kind: starling.Joined, To: to, Into: into, Micros: micros}
}

// A step is where a document was put, and what it caused.
type step struct {
	micro   starling.MicroID
	cluster starling.ClusterID
	events  []starling.Event
}

func happening(events ...starling.Event) []starling.Event { return events }

func TestEventsSayWhereDocumentsEnd(t *testing.T) {
	for _, c := range []struct {
		name  string
		steps []step
		want  []starling.ClusterID // of the document of each step, at the end
	}{
		{"nothing happens", []step{{1, 1, happening(created(1))}, {2, 2, happening(created(2))}, {1, 1, nil}}, []starling.ClusterID{1, 2, 1}},
		{
			"a merge of what was merged",
			[]step{
				{1, 1, happening(created(1))}, {2, 2, happening(created(2))}, {3, 3, happening(created(3))},
				{2, 2, happening(merged(2, 1))}, {3, 3, happening(merged(3, 2))},
			},
			[]starling.ClusterID{3, 3, 3, 3, 3},
		},
		{
			"a split into a new cluster",
			[]step{{1, 1, happening(created(1))}, {2, 1, nil}, {3, 1, nil}, {2, 2, happening(split(1, 2, 2, 3))}},
			[]starling.ClusterID{1, 2, 2, 2},
		},
		{
			"a split of what was merged, into a cluster that was there",
			[]step{
				{1, 1, happening(created(1))}, {2, 2, happening(created(2))}, {3, 3, happening(created(3))},
				{1, 2, happening(merged(2, 1))}, {3, 3, happening(split(2, 3, 1))},
			},
			[]starling.ClusterID{3, 2, 3, 3, 3},
		},
		{
			"micro-clusters that join one of another cluster, which is split off then",
			[]step{
				{1, 1, happening(created(1))}, {2, 1, nil}, {3, 3, happening(created(3))}, {4, 3, nil},
				{3, 3, happening(joined(3, 3, 1, 2), merged(3, 1))}, {5, 3, happening(split(3, 4, 3))},
			},
			[]starling.ClusterID{4, 4, 4, 3, 4, 3},
		},
	} {
		l := newLineage()
		for _, s := range c.steps {
			l.follow(starling.Update{Assignment: starling.Assignment{Cluster: s.cluster, Micro: s.micro}, Events: s.events})
		}
		var got []starling.ClusterID
		for _, s := range c.steps {
			id, _ := l.clusterOf(s.micro)
			got = append(got, id)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: documents end in %v, want %v", c.name, got, c.want)
		}
		if l.strays > 0 {
			t.Errorf("%s: %d strays", c.name, l.strays)
		}
	}
}

func TestADocumentInAClusterThatEventsDoNotKnowIsAStray(t *testing.T) {
	for name, steps := range map[string][]step{
		"it never began":                         {{1, 1, happening(created(1))}, {2, 7, nil}},
		"it ended":                               {{1, 1, happening(created(1))}, {2, 2, happening(created(2), merged(2, 1))}, {3, 1, nil}},
		"its micro-cluster is in another":        {{1, 1, happening(created(1))}, {2, 2, happening(created(2))}, {1, 2, nil}},
		"its micro-cluster is elsewhere by then": {{1, 1, happening(created(1))}, {1, 1, happening(split(1, 2, 1))}},
	} {
		l := newLineage()
		for _, s := range steps {
			l.follow(starling.Update{Assignment: starling.Assignment{Cluster: s.cluster, Micro: s.micro}, Events: s.events})
		}
		if l.strays != 1 {
			t.Errorf("%s: %d strays, want 1", name, l.strays)
		}
	}
}
