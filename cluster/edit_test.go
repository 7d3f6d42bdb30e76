package cluster

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"starling"
)

var editKinds = []starling.EditKind{
	starling.EditMerge, starling.EditSplit, starling.EditRename, starling.EditPin, starling.EditPin, starling.EditUnpin, "bogus",
}

// drawEdit draws any edit, most of them of clusters that there are.
func drawEdit(t *rapid.T, s *State) starling.Edit {
	cluster := rapid.Custom(func(t *rapid.T) starling.ClusterID {
		at := rapid.IntRange(0, len(s.groups)).Draw(t, "cluster")
		if at == len(s.groups) {
			return s.lastID + 1
		}
		return s.groups[at].id
	})
	e := starling.Edit{Kind: rapid.SampledFrom(editKinds).Draw(t, "kind"), Cluster: cluster.Draw(t, "of")}
	switch e.Kind {
	case starling.EditMerge:
		e.From = rapid.SliceOfN(cluster, 0, 3).Draw(t, "from")
	case starling.EditSplit:
		if i, ok := s.find(e.Cluster); ok && rapid.Bool().Draw(t, "listed") {
			micros := idsOf(s.groups[i].bySize())
			e.Micros = rapid.SliceOfN(rapid.SampledFrom(micros), 1, 4).Draw(t, "micros")
		}
	case starling.EditRename:
		e.Name = rapid.SampledFrom([]string{"", "late trains", "bananas", "größer", "a\nb"}).Draw(t, "name")
	}
	return e
}

// A change is an edit or a deletion that was made.
type change func(*State) ([]starling.Event, error)

// drawChanges makes a few edits and deletions now and then. Those that are refused
// change nothing. The follower has followed all updates.
func drawChanges(t *rapid.T, s *State, f *follower) (made []change) {
	if rapid.IntRange(0, 39).Draw(t, "edit") > 0 {
		return nil
	}
	for range rapid.IntRange(1, 4).Draw(t, "edits") {
		e := drawEdit(t, s)
		change := func(s *State) ([]starling.Event, error) { return s.Edit(e) }
		if left := f.left(s); len(left) > 0 && rapid.Bool().Draw(t, "delete") {
			d := f.deletion(s, rapid.SampledFrom(left).Draw(t, "document"))
			change = func(s *State) ([]starling.Event, error) { return s.Delete(d) }
		}
		before := encode(t, s)
		if _, err := change(s); err == nil {
			made = append(made, change)
		} else if !bytes.Equal(before, encode(t, s)) {
			t.Fatalf("the error %v, and the state changed", err)
		}
	}
	return made
}

func remake(t *rapid.T, s *State, changes []change) {
	for _, change := range changes {
		if _, err := change(s); err != nil {
			t.Fatal(err)
		}
	}
}

// topics makes a state of documents about some topics, and says in which cluster
// the documents of each are.
func topics(t *testing.T, n int) (*State, map[string]starling.ClusterID) {
	t.Helper()
	documents, vectors := stream(1, 100*n, n, 64)
	s := newState(t, Config{Dim: 64, Threshold: 0.7})
	clusters := make(map[string]starling.ClusterID)
	for _, u := range apply(t, s, documents, vectors) {
		clusters[strings.Fields(u.Text)[0]] = u.Cluster
	}
	if s.Len() != n || len(clusters) != n {
		t.Fatalf("%d clusters for %d topics", s.Len(), n)
	}
	return s, clusters
}

func mustEdit(t *testing.T, s *State, e starling.Edit) []starling.Event {
	t.Helper()
	events, err := s.Edit(e)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// more applies further documents of the stream that topics began.
func more(t *testing.T, s *State, n int) []starling.Update {
	t.Helper()
	documents, vectors := stream(1, int(s.Documents())+500, n, 64)
	return apply(t, s, documents[s.Documents():], vectors[s.Documents():])
}

func eventKinds(events []starling.Event) string {
	var kinds []string
	for _, e := range events {
		kinds = append(kinds, string(e.Kind))
	}
	return strings.Join(kinds, " ")
}

func TestAMergeByHandSticks(t *testing.T) {
	s, of := topics(t, 3)
	a, b := of["topic0"], of["topic1"]
	mustEdit(t, s, starling.Edit{Kind: starling.EditRename, Cluster: b, Name: "mine"})
	events := mustEdit(t, s, starling.Edit{Kind: starling.EditMerge, Cluster: a, From: []starling.ClusterID{b}})
	if got := eventKinds(events); got != "merged renamed pinned" || events[0].Size < 150 || events[1].Name != "mine" {
		t.Errorf("the merge caused %+v", events)
	}
	updates := more(t, s, 3)
	if got := eventKinds(updates[0].Events[:4]); got != "renamed merged renamed pinned" {
		t.Errorf("the next update tells of %s", got)
	}
	for _, u := range updates {
		topic := strings.Fields(u.Text)[0]
		if want := of[topic]; topic != "topic1" && u.Cluster != want || topic == "topic1" && u.Cluster != a {
			t.Fatalf("document %d about %s is in cluster %v", u.Seq, topic, u.Cluster)
		}
	}
	if c, ok := s.Cluster(a); !ok || !c.Pinned || c.Name != "mine" {
		t.Errorf("the cluster is %+v", c)
	}
}

func TestASplitByHandSticks(t *testing.T) {
	s := newState(t, Config{Dim: 64, Threshold: 0.3})
	documents, vectors := stream(1, 200, 1, 64)
	updates := apply(t, s, documents, vectors)
	if s.Len() != 1 {
		t.Fatalf("%d clusters of one topic", s.Len())
	}
	events := mustEdit(t, s, starling.Edit{Kind: starling.EditSplit, Cluster: updates[0].Cluster})
	if got := eventKinds(events); got != "split pinned pinned" || events[0].To != 2 || len(events[0].Micros) == 0 {
		t.Fatalf("the split caused %+v", events)
	}
	if a, _ := s.Cluster(1); a.Size < 100 || a.Size+events[0].Size != 200 {
		t.Errorf("the larger part has %d documents, the other %d", a.Size, events[0].Size)
	}
	documents, vectors = stream(1, 1000, 1, 64)
	for _, u := range apply(t, s, documents[200:], vectors[200:])[1:] {
		if got := eventKinds(u.Events); strings.Contains(got, "merged") || strings.Contains(got, "split") {
			t.Fatalf("document %d caused %s", u.Seq, got)
		}
	}
	if s.Len() != 2 {
		t.Errorf("%d clusters", s.Len())
	}
	// The micro-clusters of the second part, one of them on its own now.
	one := events[0].Micros[:1]
	if len(events[0].Micros) > 1 {
		again := mustEdit(t, s, starling.Edit{Kind: starling.EditSplit, Cluster: 2, Micros: one})
		if c, _ := s.ClusterOf(one[0]); c != 3 || again[0].To != 3 || !slices.Equal(again[0].Micros, one) {
			t.Errorf("micro-cluster %v is in cluster %v, the split caused %+v", one[0], c, again)
		}
	}
}

// A split in two finds the two topics that were merged.
func TestASplitUndoesAMerge(t *testing.T) {
	s, of := topics(t, 2)
	mustEdit(t, s, starling.Edit{Kind: starling.EditMerge, Cluster: of["topic0"], From: []starling.ClusterID{of["topic1"]}})
	mustEdit(t, s, starling.Edit{Kind: starling.EditSplit, Cluster: of["topic0"]})
	for _, c := range s.Clusters(0) {
		for _, text := range c.Texts {
			if strings.Fields(text)[0] != c.Terms[0] {
				t.Errorf("cluster %v, about %v, has the text %q", c.ID, c.Terms, text)
			}
		}
	}
	if s.Len() != 2 {
		t.Errorf("%d clusters", s.Len())
	}
}

// As long as nothing forces micro-clusters together, only edits split a pinned
// cluster or end it, and whatever its size it keeps its id.
func TestPinnedClustersStay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 500).Draw(t, "documents")
		documents, vectors := stream(rapid.Uint64().Draw(t, "seed"), n, rapid.IntRange(1, 12).Draw(t, "topics"), 8)
		s := newState(t, Config{Dim: 8, Threshold: rapid.Float64Range(0.1, 0.7).Draw(t, "threshold")})
		f := newFollower()
		for i, d := range documents {
			drawChanges(t, s, f)
			pinned := make(map[starling.ClusterID]bool)
			for _, g := range s.groups {
				pinned[g.id] = g.pinned
			}
			edits := len(s.pending)
			u, err := s.Apply(d, vectors[i])
			if err != nil {
				t.Fatal(err)
			}
			f.follow(t, u, vectors[i])
			for _, e := range u.Events[edits:] {
				if slices.ContainsFunc(e.From, func(id starling.ClusterID) bool { return pinned[id] }) {
					t.Fatalf("a pinned cluster: %+v", e)
				}
			}
		}
	})
}

// The micro-clusters of a pinned cluster stay in it when room is made, unless they
// become part of another pinned one.
func TestAPinnedClusterTakesInWhatItsMicroClustersJoin(t *testing.T) {
	for _, pinned := range []int{0, 1} {
		s := newState(t, Config{Dim: 3, Threshold: 0.1, MaxMicros: 2})
		vectors := [][]float32{{1, 0, 0}, {0.8, 0.6, 0}, {0, 0, 1}}
		first := apply(t, s, []starling.Document{{ID: "a", Text: "first"}, {ID: "b", Text: "second"}}, vectors)
		if first[0].Cluster == first[1].Cluster {
			mustEdit(t, s, starling.Edit{Kind: starling.EditSplit, Cluster: 1, Micros: []starling.MicroID{first[1].Micro}})
			mustEdit(t, s, starling.Edit{Kind: starling.EditUnpin, Cluster: 1})
			mustEdit(t, s, starling.Edit{Kind: starling.EditUnpin, Cluster: 2})
		}
		id := s.groups[pinned].id
		mustEdit(t, s, starling.Edit{Kind: starling.EditPin, Cluster: id})
		mustEdit(t, s, starling.Edit{Kind: starling.EditRename, Cluster: id, Name: "kept"})
		apply(t, s, []starling.Document{{ID: "c", Text: "third"}}, vectors[2:])
		if c, ok := s.Cluster(id); !ok || !c.Pinned || c.Size != 2 || c.Name != "kept" {
			t.Errorf("cluster %v, pinned, is %+v", id, c)
		}
	}
}

func TestNamesStick(t *testing.T) {
	s, of := topics(t, 2)
	for topic, id := range of {
		mustEdit(t, s, starling.Edit{Kind: starling.EditRename, Cluster: id, Name: "all about " + topic})
	}
	more(t, s, 2)
	for topic, id := range of {
		if c, _ := s.Cluster(id); c.Name != "all about "+topic {
			t.Errorf("the cluster of %s is called %q", topic, c.Name)
		}
	}
	if events := mustEdit(t, s, starling.Edit{Kind: starling.EditRename, Cluster: 1, Name: ""}); eventKinds(events) != "renamed" {
		t.Errorf("taking a name away caused %+v", events)
	}
	if c, _ := s.Cluster(1); c.Name != "" {
		t.Errorf("the cluster is still called %q", c.Name)
	}
}

// What was split and is no longer pinned grows together again, and a name that
// only the part that ends has goes on.
func TestANameGoesOnWhereItsClusterDoes(t *testing.T) {
	s := newState(t, Config{Dim: 64, Threshold: 0.3})
	documents, vectors := stream(1, 500, 1, 64)
	apply(t, s, documents[:200], vectors)
	part := mustEdit(t, s, starling.Edit{Kind: starling.EditSplit, Cluster: 1})[0].To
	mustEdit(t, s, starling.Edit{Kind: starling.EditUnpin, Cluster: 1})
	mustEdit(t, s, starling.Edit{Kind: starling.EditUnpin, Cluster: part})
	mustEdit(t, s, starling.Edit{Kind: starling.EditRename, Cluster: part, Name: "small"})
	var events []starling.Event
	for _, u := range apply(t, s, documents[200:], vectors[200:])[1:] {
		events = append(events, u.Events...)
	}
	if got := eventKinds(events); !strings.HasPrefix(got, "merged renamed") || events[1].Name != "small" || events[1].To != 1 {
		t.Fatalf("what happened is %+v", events)
	}
	if c, _ := s.Cluster(1); s.Len() != 1 || c.Name != "small" {
		t.Errorf("%d clusters; the first is %+v", s.Len(), c)
	}
}

func TestEditsThatChangeNothingCauseNoEvents(t *testing.T) {
	s, _ := topics(t, 1)
	for _, e := range []starling.Edit{
		{Kind: starling.EditPin, Cluster: 1}, {Kind: starling.EditPin, Cluster: 1},
		{Kind: starling.EditUnpin, Cluster: 1}, {Kind: starling.EditUnpin, Cluster: 1},
		{Kind: starling.EditRename, Cluster: 1, Name: "x"}, {Kind: starling.EditRename, Cluster: 1, Name: "x"},
	} {
		mustEdit(t, s, e)
	}
	if got := eventKinds(more(t, s, 1)[0].Events); got != "pinned unpinned renamed" {
		t.Errorf("six edits caused %s", got)
	}
	if s.Edits() != 6 {
		t.Errorf("%d edits, want 6", s.Edits())
	}
}

func TestBadEditsLeaveTheStateAsItWas(t *testing.T) {
	s := newState(t, Config{Dim: 64, Threshold: 0.3})
	documents, vectors := stream(1, 300, 3, 64)
	apply(t, s, documents, vectors)
	large := s.Clusters(1)[0]
	i, _ := s.find(large.ID)
	all := idsOf(s.groups[i].bySize())
	single := newState(t, Config{Dim: 2, Threshold: 0.3})
	apply(t, single, []starling.Document{{ID: "a", Text: "a"}}, [][]float32{{1, 0}})
	for _, c := range []struct {
		state *State
		edit  starling.Edit
		says  string
	}{
		{s, starling.Edit{}, "there is no cluster 0"},
		{s, starling.Edit{Kind: starling.EditDelete, Cluster: 1, Document: 1}, "it takes a Deletion"},
		{s, starling.Edit{Kind: "explode", Cluster: 1}, "explode: there is no such edit"},
		{s, starling.Edit{Kind: starling.EditPin, Cluster: 1 << 40}, "pin: there is no cluster 1099511627776"},
		{s, starling.Edit{Kind: starling.EditMerge, Cluster: large.ID}, "no cluster to become part of"},
		{s, starling.Edit{Kind: starling.EditMerge, Cluster: large.ID, From: []starling.ClusterID{large.ID}}, "named twice"},
		{s, starling.Edit{Kind: starling.EditMerge, Cluster: large.ID, From: []starling.ClusterID{1 << 40}}, "there is no cluster"},
		{s, starling.Edit{Kind: starling.EditSplit, Cluster: large.ID, Micros: all}, "one must stay"},
		{s, starling.Edit{Kind: starling.EditSplit, Cluster: large.ID, Micros: []starling.MicroID{all[0], all[0]}}, "named twice"},
		{s, starling.Edit{Kind: starling.EditSplit, Cluster: large.ID, Micros: []starling.MicroID{1 << 40}}, "has no micro-cluster"},
		{single, starling.Edit{Kind: starling.EditSplit, Cluster: 1}, "single micro-cluster"},
		{s, starling.Edit{Kind: starling.EditRename, Cluster: 1, Name: "\xff"}, "not valid UTF-8"},
		{s, starling.Edit{Kind: starling.EditRename, Cluster: 1, Name: "a\x1b[2J"}, "control characters"},
		{s, starling.Edit{Kind: starling.EditRename, Cluster: 1, Name: strings.Repeat("x", starling.MaxNameBytes+1)}, "257 bytes"},
	} {
		before := encode(t, c.state)
		events, err := c.state.Edit(c.edit)
		if err == nil || !strings.Contains(err.Error(), c.says) || events != nil {
			t.Errorf("%+v gave %v and the error %v, want one that says %q", c.edit, events, err, c.says)
		}
		if !bytes.Equal(before, encode(t, c.state)) {
			t.Fatalf("%+v changed the state", c.edit)
		}
	}
}
