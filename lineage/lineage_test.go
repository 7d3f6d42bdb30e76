package lineage

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"starling"
)

// naive does to every document by itself what updates say.
type naive struct {
	documents []starling.Assignment // as they are now
	clusters  map[starling.MicroID]starling.ClusterID
	became    map[starling.MicroID]starling.MicroID
}

func (n *naive) place(micro starling.MicroID, cluster starling.ClusterID) {
	if _, ended := n.became[micro]; ended {
		return
	}
	n.clusters[micro] = cluster
	for i, d := range n.documents {
		if d.Micro == micro {
			n.documents[i].Cluster = cluster
		}
	}
}

func (n *naive) join(micro, into starling.MicroID) {
	_, ended := n.became[micro]
	_, intoEnded := n.became[into]
	if ended || intoEnded || micro == into {
		return
	}
	delete(n.clusters, micro)
	n.became[micro] = into
	for before, now := range n.became {
		if now == micro {
			n.became[before] = into
		}
	}
	for i, d := range n.documents {
		if d.Micro == micro {
			n.documents[i].Micro, n.documents[i].Cluster = into, n.clusters[into]
		}
	}
}

func (n *naive) follow(update starling.Update) {
	for _, e := range update.Events {
		switch e.Kind {
		case starling.Merged:
			for micro, cluster := range n.clusters {
				if slices.Contains(e.From, cluster) {
					n.place(micro, e.To)
				}
			}
		case starling.Split:
			for _, micro := range e.Micros {
				n.place(micro, e.To)
			}
		case starling.Joined:
			n.place(e.Into, e.To)
			for _, micro := range e.Micros {
				n.join(micro, e.Into)
			}
		}
	}
	n.place(update.Micro, update.Cluster)
	now := update.Micro
	if into, ended := n.became[now]; ended {
		now = into
	}
	n.documents = append(n.documents, starling.Assignment{Micro: now, Cluster: n.clusters[now]})
}

var kinds = []starling.EventKind{
	starling.Created, starling.Grew, starling.Merged, starling.Split, starling.Joined, "faded", "",
}

// drawEvent draws any event, of few enough ids that it meets what others did.
func drawEvent(t *rapid.T) starling.Event {
	micro := rapid.Custom(func(t *rapid.T) starling.MicroID { return starling.MicroID(rapid.IntRange(0, 30).Draw(t, "id")) })
	cluster := rapid.Custom(func(t *rapid.T) starling.ClusterID { return starling.ClusterID(rapid.IntRange(1, 10).Draw(t, "id")) })
	return starling.Event{
		Kind:   rapid.SampledFrom(kinds).Draw(t, "kind"),
		From:   rapid.SliceOfN(cluster, 0, 3).Draw(t, "from"),
		To:     cluster.Draw(t, "to"),
		Micros: rapid.SliceOfN(micro, 0, 5).Draw(t, "micros"),
		Into:   micro.Draw(t, "into"),
	}
}

// checkFollows holds a lineage against the naive way, whatever the updates say.
func checkFollows(t *rapid.T) {
	l := New()
	n := naive{clusters: make(map[starling.MicroID]starling.ClusterID), became: make(map[starling.MicroID]starling.MicroID)}
	var put []starling.MicroID
	t.Repeat(map[string]func(*rapid.T){
		"update": func(t *rapid.T) {
			u := starling.Update{Events: rapid.SliceOfN(rapid.Custom(drawEvent), 0, 4).Draw(t, "events")}
			u.Micro = starling.MicroID(rapid.IntRange(0, 30).Draw(t, "micro"))
			u.Cluster = starling.ClusterID(rapid.IntRange(1, 10).Draw(t, "cluster"))
			l.Follow(u)
			n.follow(u)
			put = append(put, u.Micro)
		},
		"": func(t *rapid.T) {
			for i, micro := range put {
				if got, want := l.MicroOf(micro), n.documents[i].Micro; got != want {
					t.Fatalf("document %d, put into micro-cluster %d, is in %d, want %d", i, micro, got, want)
				}
				if got, want := l.ClusterOf(micro), n.documents[i].Cluster; got != want {
					t.Fatalf("document %d, put into micro-cluster %d, is in cluster %v, want %v", i, micro, got, want)
				}
			}
			for cluster, micros := range l.micros {
				for micro := range micros {
					if l.clusters[micro] != cluster {
						t.Fatalf("micro-cluster %d is listed in %v and is in %v", micro, cluster, l.clusters[micro])
					}
				}
			}
		},
	})
}

func TestFollowsAsTheNaiveWayDoes(t *testing.T) { rapid.Check(t, checkFollows) }

func FuzzFollow(f *testing.F) { f.Fuzz(rapid.MakeFuzz(checkFollows)) }

// Documents stay with their micro-cluster wherever it goes, and with whatever it
// becomes part of.
func TestDocumentsGoWhereTheirMicroClusterGoes(t *testing.T) {
	l := New()
	for micro := range starling.MicroID(6) {
		l.Follow(starling.Update{Assignment: starling.Assignment{Micro: micro + 1, Cluster: starling.ClusterID(micro + 1)}})
	}
	for _, step := range []struct {
		event starling.Event
		want  string // the clusters of the micro-clusters 1 to 6
	}{
		{starling.Event{Kind: starling.Joined, Micros: []starling.MicroID{1}, Into: 2, To: 2}, "[2 2 3 4 5 6]"},
		{starling.Event{Kind: starling.Joined, Micros: []starling.MicroID{2, 3}, Into: 4, To: 4}, "[4 4 4 4 5 6]"},
		{starling.Event{Kind: starling.Merged, From: []starling.ClusterID{4, 5}, To: 6}, "[6 6 6 6 6 6]"},
		{starling.Event{Kind: starling.Split, From: []starling.ClusterID{6}, Micros: []starling.MicroID{4}, To: 7}, "[7 7 7 7 6 6]"},
		{starling.Event{Kind: starling.Split, From: []starling.ClusterID{6}, Micros: []starling.MicroID{6}, To: 7}, "[7 7 7 7 6 7]"},
		{starling.Event{Kind: "expired", From: []starling.ClusterID{7}, Micros: []starling.MicroID{4}, To: 9}, "[7 7 7 7 6 7]"},
		{starling.Event{Kind: starling.Joined, Micros: []starling.MicroID{4}, Into: 5, To: 6}, "[6 6 6 6 6 7]"},
		// Ids that are done with.
		{starling.Event{Kind: starling.Split, From: []starling.ClusterID{6}, Micros: []starling.MicroID{1}, To: 8}, "[6 6 6 6 6 7]"},
		{starling.Event{Kind: starling.Joined, Micros: []starling.MicroID{5}, Into: 1, To: 8}, "[6 6 6 6 6 7]"},
	} {
		l.Follow(starling.Update{Events: []starling.Event{step.event}, Assignment: starling.Assignment{Micro: 100, Cluster: 100}})
		var got []starling.ClusterID
		for micro := range starling.MicroID(6) {
			got = append(got, l.ClusterOf(micro+1))
		}
		if fmt.Sprint(got) != step.want {
			t.Fatalf("after %+v the micro-clusters are in %v, want %s", step.event, got, step.want)
		}
	}
	if unknown := l.ClusterOf(77); unknown != 0 {
		t.Errorf("a micro-cluster that nothing was heard of is in cluster %v", unknown)
	}
}

// A way of a hundred thousand joins, and as many documents at its beginning, are
// no trouble.
func TestLongWaysBecomeShort(t *testing.T) {
	const length = 100_000
	l := New()
	for micro := range starling.MicroID(length) {
		l.Follow(starling.Update{Assignment: starling.Assignment{Micro: micro + 1, Cluster: 3}, Events: []starling.Event{
			{Kind: starling.Joined, Micros: []starling.MicroID{micro}, Into: micro + 1, To: 3},
		}})
	}
	for range length {
		if got := l.ClusterOf(0); got != 3 {
			t.Fatalf("the first is in cluster %v, want 3", got)
		}
	}
}

// BenchmarkRegroup follows an update in which 4,000 micro-clusters join or move.
func BenchmarkRegroup(b *testing.B) {
	const micros = 4000
	for b.Loop() {
		l := New()
		u := starling.Update{}
		for m := range starling.MicroID(micros) {
			l.Place(m, starling.ClusterID(m%50))
			u.Events = append(u.Events, starling.Event{Kind: starling.Split, Micros: []starling.MicroID{m}, To: starling.ClusterID(m % 70)})
		}
		for c := range starling.ClusterID(69) {
			u.Events = append(u.Events, starling.Event{Kind: starling.Merged, From: []starling.ClusterID{c}, To: c + 1})
		}
		l.Follow(u)
	}
}
