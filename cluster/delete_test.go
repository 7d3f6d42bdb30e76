package cluster

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"starling"
)

// deletions returns what it takes to delete each of some documents, none of which
// has moved since.
func deletions(updates []starling.Update, vectors [][]float32) []Deletion {
	all := make([]Deletion, len(updates))
	for i, u := range updates {
		all[i] = Deletion{Update: u, Vector: vectors[i], Instead: "another"}
	}
	return all
}

// A document that is deleted leaves its micro-cluster as if it had not come.
func TestDeletingADocument(t *testing.T) {
	s := newState(t, Config{Dim: 2, Threshold: 0.8})
	vectors := [][]float32{{1, 0}, {0.8, 0.6}, {0.96, 0.28}}
	updates := apply(t, s, []starling.Document{
		{ID: "a", Text: "parcels arrive late"}, {ID: "b", Text: "letters arrive late"}, {ID: "c", Text: "secret parcels arrive late"},
	}, vectors)
	without := newState(t, Config{Dim: 2, Threshold: 0.8})
	apply(t, without, []starling.Document{{ID: "a", Text: "parcels arrive late"}, {ID: "b", Text: "letters arrive late"}}, vectors)
	if c, _ := s.Cluster(1); c.Text != "secret parcels arrive late" {
		t.Fatalf("the cluster is represented by %q", c.Text)
	}
	d := Deletion{Update: updates[2], Vector: vectors[2], Instead: "parcels arrive late"}
	events, err := s.Delete(d)
	if err != nil || len(events) != 1 || !isDeleted(events[0], 1, 2, 3) {
		t.Errorf("the deletion caused %+v, %v", events, err)
	}
	got, _ := s.Cluster(1)
	want, _ := without.Cluster(1)
	if got.Size != 2 || got.Text != "parcels arrive late" || fmt.Sprint(got.Terms) != fmt.Sprint(want.Terms) {
		t.Errorf("the cluster is %+v, want %+v", got, want)
	}
	a, _ := s.tree.Entry(1)
	b, _ := without.tree.Entry(1)
	if a.N != b.N || fmt.Sprintf("%.5f", a.Mean) != fmt.Sprintf("%.5f", b.Mean) {
		t.Errorf("the features are %+v, want %+v", a, b)
	}
	if s.Documents() != 3 || s.Deleted() != 1 || s.Edits() != 1 {
		t.Errorf("%d documents, %d deleted, %d edits", s.Documents(), s.Deleted(), s.Edits())
	}
	if bytes.Contains(encode(t, s), []byte("secret")) {
		t.Error("the text is still in the state")
	}
}

func isDeleted(e starling.Event, cluster starling.ClusterID, size, document int64) bool {
	return e.Kind == starling.Deleted && e.To == cluster && e.Size == size && e.Document == document
}

// With all of its documents deleted a state is as good as empty, and goes on.
func TestDeletingEverything(t *testing.T) {
	for _, n := range []int{10, 300} { // before and after the thresholds are found
		documents, vectors := stream(1, n, 1, 16)
		s := newState(t, Config{Dim: 16, Threshold: 0.95})
		updates := apply(t, s, documents, vectors)
		for i, d := range deletions(updates, vectors) {
			if m, _ := s.ClusterOf(d.Micro); m != d.Cluster || s.Len() != 1 {
				t.Fatal("the documents are not those of one cluster")
			}
			events, err := s.Delete(d)
			if err != nil || events[0].Size != int64(n-1-i) {
				t.Fatalf("deletion %d caused %+v, %v", i, events, err)
			}
		}
		b := encode(t, s)
		if s.Len() != 0 || s.Micros() != 0 || len(s.first) != 0 || bytes.Contains(b, []byte("word")) {
			t.Fatalf("%d clusters, %d micro-clusters and %d vectors are left, or texts", s.Len(), s.Micros(), len(s.first))
		}
		back, err := Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		documents, vectors = stream(2, 600, 3, 16)
		if u := apply(t, back, documents, vectors)[0]; u.Cluster != 2 || u.Seq != int64(n)+1 {
			t.Errorf("the next document is %d, in cluster %v", u.Seq, u.Cluster)
		}
	}
}

// Documents of clusters, and of parts of clusters, that expired can be deleted too.
func TestDeletingWhatExpired(t *testing.T) {
	s := newState(t, Config{Dim: 2, Threshold: 0.5, HalfLife: 20})
	x, y := []float32{1, 0}, []float32{0, 1}
	var updates []starling.Update
	for i := range 400 {
		vector := x
		if i > 2 {
			vector = y
		}
		updates = append(updates, apply(t, s, []starling.Document{{ID: fmt.Sprint(i), Text: "word"}}, [][]float32{vector})...)
	}
	if s.expired != 3 {
		t.Fatalf("%d documents expired", s.expired)
	}
	for i := range 3 {
		events, err := s.Delete(Deletion{Update: updates[i], Vector: x})
		if err != nil || len(events) != 1 || !isDeleted(events[0], 1, 0, int64(i)+1) {
			t.Errorf("the deletion caused %+v, %v", events, err)
		}
	}
	if err := s.check(); err != nil || s.expired != 0 {
		t.Errorf("%d expired documents are left, %v", s.expired, err)
	}
	if _, err := s.Delete(Deletion{Update: updates[0], Vector: x}); err == nil {
		t.Error("a document was deleted that is not there")
	}
}

// A cluster whose last micro-cluster is deleted expires, if it has documents whose
// micro-clusters expired before; these can still be deleted.
func TestDeletingWhatIsLeftOfAFadedCluster(t *testing.T) {
	s := newState(t, Config{Dim: 2, Threshold: 0.5, HalfLife: 20})
	x, y := []float32{1, 0}, []float32{0, 1}
	old := apply(t, s, []starling.Document{{ID: "a", Text: "old"}, {ID: "b", Text: "old"}}, [][]float32{x, x})
	var fresh []Deletion
	for i := range 400 {
		u := apply(t, s, []starling.Document{{ID: fmt.Sprint(i), Text: "word"}}, [][]float32{y})[0]
		if i == 0 {
			mustEdit(t, s, starling.Edit{Kind: starling.EditMerge, Cluster: u.Cluster, From: []starling.ClusterID{1}})
		}
		fresh = append(fresh, Deletion{Update: u, Vector: y, Instead: "word"})
	}
	if c := s.Clusters(0); len(c) != 1 || c[0].Size != 402 || s.Micros() != 1 {
		t.Fatalf("the clusters are %+v, of %d micro-clusters", c, s.Micros())
	}
	gone := Deletion{Update: old[0], Vector: x}
	gone.Cluster = fresh[0].Cluster
	if events, err := s.Delete(gone); err != nil || len(events) != 1 || !isDeleted(events[0], gone.Cluster, 401, 1) {
		t.Errorf("the deletion of what expired caused %+v, %v", events, err)
	}
	for i, d := range fresh {
		events, err := s.Delete(d)
		if err != nil || (eventKinds(events) == "deleted expired") != (i == 399) {
			t.Fatalf("deletion %d caused %+v, %v", i, events, err)
		}
	}
	if err := s.check(); err != nil || s.Len() != 0 || s.expired != 1 {
		t.Errorf("%d clusters are left and %d expired documents, %v", s.Len(), s.expired, err)
	}
}

func TestBadDeletionsLeaveTheStateAsItWas(t *testing.T) {
	s := newState(t, Config{Dim: 2, Threshold: 0.5})
	vectors := [][]float32{{1, 0}, {1, 0}, {0, 1}}
	updates := apply(t, s, []starling.Document{{ID: "a", Text: "a"}, {ID: "b", Text: "b"}, {ID: "c", Text: "c"}}, vectors)
	good := Deletion{Update: updates[0], Vector: vectors[0], Instead: "b"}
	for says, spoil := range map[string]func(*Deletion){
		"there is no micro-cluster 9":        func(d *Deletion) { d.Micro = 9 },
		"micro-cluster 1 is in cluster 1":    func(d *Deletion) { d.Cluster = 2 },
		"0 values":                           func(d *Deletion) { d.Vector = nil },
		"no text to be shown instead of its": func(d *Deletion) { d.Instead = "" },
	} {
		before, bad := encode(t, s), good
		spoil(&bad)
		events, err := s.Delete(bad)
		if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), `"a"`) || events != nil {
			t.Errorf("%v and the error %v, want one that says %q", events, err, says)
		}
		if !bytes.Equal(before, encode(t, s)) {
			t.Fatalf("%q: the state changed", says)
		}
	}
	if _, err := s.Delete(good); err != nil {
		t.Error(err)
	}
}
