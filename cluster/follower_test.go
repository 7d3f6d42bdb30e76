package cluster

import (
	"math"
	"slices"

	"pgregory.net/rapid"

	"starling"
)

// A follower knows the clusters from the updates alone.
type follower struct {
	clusters map[starling.MicroID]starling.ClusterID
	joined   map[starling.MicroID]starling.MicroID
	ended    map[starling.ClusterID]bool
	expired  map[starling.ClusterID]bool
	names    map[starling.ClusterID]string
	pinned   map[starling.ClusterID]bool
	// documents holds each document as it came, and deleted whether it is gone.
	documents []Deletion
	deleted   []bool
}

func newFollower() *follower {
	return &follower{
		clusters: make(map[starling.MicroID]starling.ClusterID),
		joined:   make(map[starling.MicroID]starling.MicroID),
		ended:    make(map[starling.ClusterID]bool),
		expired:  make(map[starling.ClusterID]bool),
		names:    make(map[starling.ClusterID]string),
		pinned:   make(map[starling.ClusterID]bool),
	}
}

func (f *follower) follow(t *rapid.T, u starling.Update, vector []float32) {
	for _, e := range u.Events {
		if f.ended[e.To] && (e.Kind != starling.Deleted || !f.expired[e.To]) {
			t.Fatalf("%+v: the cluster ended", e)
		}
		switch e.Kind {
		case starling.Joined:
			for _, m := range e.Micros {
				f.mustBeKnown(t, m)
				f.joined[m] = e.Into
				delete(f.clusters, m)
			}
			if f.clusters[e.Into] != e.To {
				t.Fatalf("%+v: micro-cluster %v is in cluster %v", e, e.Into, f.clusters[e.Into])
			}
		case starling.Split:
			for _, m := range e.Micros {
				f.mustBeKnown(t, m)
				if f.clusters[m] != e.From[0] {
					t.Fatalf("%+v: micro-cluster %v is in cluster %v", e, m, f.clusters[m])
				}
				f.clusters[m] = e.To
			}
		case starling.Renamed:
			f.names[e.To] = e.Name
		case starling.Pinned, starling.Unpinned:
			f.pinned[e.To] = e.Kind == starling.Pinned
		case starling.Deleted:
			f.delete(t, e)
		case starling.Expired:
			f.ended[e.To], f.expired[e.To] = true, true
		case starling.Merged:
			for _, from := range e.From {
				f.ended[from] = true
				for m, c := range f.clusters {
					if c == from {
						f.clusters[m] = e.To
					}
				}
			}
		}
	}
	if f.ended[u.Cluster] {
		t.Fatalf("document %d in cluster %v, which ended", u.Seq, u.Cluster)
	}
	if was, ok := f.clusters[u.Micro]; ok && was != u.Cluster {
		t.Fatalf("document %d in cluster %v, its micro-cluster %v in %v", u.Seq, u.Cluster, u.Micro, was)
	}
	f.clusters[u.Micro] = u.Cluster
	f.documents = append(f.documents, Deletion{Update: u, Vector: vector})
	f.deleted = append(f.deleted, false)
}

func (f *follower) delete(t *rapid.T, e starling.Event) {
	if got := f.clusters[f.microOf(e.Document)]; f.deleted[e.Document-1] || got != e.To {
		t.Fatalf("%+v: the document is in cluster %v, or deleted already", e, got)
	}
	f.deleted[e.Document-1] = true
	if e.Size == 0 {
		f.ended[e.To] = true
	}
}

// left returns the Seqs of the documents that are not deleted.
func (f *follower) left(s *State) (seqs []int64) {
	for i, gone := range f.goneFrom(s) {
		if !gone {
			seqs = append(seqs, int64(i)+1)
		}
	}
	return seqs
}

// goneFrom says which documents are deleted, those that no update told of yet among
// them.
func (f *follower) goneFrom(s *State) []bool {
	gone := slices.Clone(f.deleted)
	for _, e := range s.pending {
		if e.Kind == starling.Deleted {
			gone[e.Document-1] = true
		}
	}
	return gone
}

// microOf returns the micro-cluster that a document is in now.
func (f *follower) microOf(seq int64) starling.MicroID {
	m := f.documents[seq-1].Micro
	for f.joined[m] != 0 {
		m = f.joined[m]
	}
	return m
}

// deletion returns what it takes to delete a document now.
func (f *follower) deletion(s *State, seq int64) Deletion {
	d := f.documents[seq-1]
	d.Micro = f.microOf(seq)
	d.Cluster = f.clusters[d.Micro]
	for _, e := range s.pending {
		if slices.Contains(e.From, d.Cluster) && (e.Kind == starling.Merged || slices.Contains(e.Micros, d.Micro)) {
			d.Cluster = e.To
		}
	}
	gone := f.goneFrom(s)
	for i, other := range f.documents {
		if other.Seq != seq && !gone[i] && f.microOf(other.Seq) == d.Micro {
			d.Instead = other.Text
		}
	}
	return d
}

func (f *follower) mustBeKnown(t *rapid.T, m starling.MicroID) {
	if _, ok := f.clusters[m]; !ok {
		t.Fatalf("micro-cluster %v is not there", m)
	}
}

// compare finds the cluster of every document and compares with what the state
// says.
func (f *follower) compare(t *rapid.T, s *State) {
	sizes := make(map[starling.ClusterID]int64)
	for _, seq := range f.left(s) {
		m := f.microOf(seq)
		c, ok := s.ClusterOf(m)
		if !ok && s.Config().HalfLife == 0 || ok && c != f.clusters[m] {
			t.Fatalf("document %d is in cluster %v, the events say %v", seq, c, f.clusters[m])
		}
		sizes[f.clusters[m]]++
	}
	for _, c := range s.Clusters(0) {
		if sizes[c.ID] != c.Size {
			t.Fatalf("cluster %v has %d documents, the updates say %d", c.ID, c.Size, sizes[c.ID])
		}
		if c.Name != f.names[c.ID] || c.Pinned != f.pinned[c.ID] {
			t.Fatalf("cluster %v is called %q, the updates say %q; it is pinned: %v, %v", c.ID, c.Name, f.names[c.ID], c.Pinned, f.pinned[c.ID])
		}
		delete(sizes, c.ID)
	}
	f.compareWeights(t, s)
	for c := range f.expired {
		delete(sizes, c)
	}
	if len(sizes) > 0 {
		t.Fatalf("clusters %v ended without an event", sizes)
	}
}

// compareWeights compares the features with the counts: without a half-life each
// document weighs 1.
func (f *follower) compareWeights(t *rapid.T, s *State) {
	for entry := range s.tree.Entries() {
		size := float64(s.micros[entry.ID].size)
		if s.Config().HalfLife == 0 && math.Abs(entry.N-size) > 1e-9*size {
			t.Fatalf("micro-cluster %v of %v documents weighs %v", entry.ID, size, entry.N)
		}
	}
}
