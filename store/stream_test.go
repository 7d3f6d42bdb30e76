package store_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"starling"
	"starling/store"
)

// naive follows updates in the simplest way there is.
type naive struct {
	documents []starling.Update // as they came
	// clusters holds those of the micro-clusters that joined no other, and became
	// what the others are part of now.
	clusters map[starling.MicroID]starling.ClusterID
	became   map[starling.MicroID]starling.MicroID
}

func newNaive() naive {
	return naive{clusters: make(map[starling.MicroID]starling.ClusterID), became: make(map[starling.MicroID]starling.MicroID)}
}

func (n *naive) follow(u starling.Update) {
	n.followEvents(u.Events)
	n.place(u.Micro, u.Cluster)
	n.documents = append(n.documents, u)
}

func (n *naive) followEvents(events []starling.Event) {
	for _, e := range events {
		switch e.Kind {
		case starling.Merged:
			for micro, cluster := range n.clusters {
				if slices.Contains(e.From, cluster) {
					n.clusters[micro] = e.To
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
}

// erase takes out a document.
func (n *naive) erase(seq int64) {
	u := &n.documents[seq-1]
	u.Text, u.Attributes, u.Assignment = "", nil, starling.Assignment{}
}

func (n *naive) place(micro starling.MicroID, cluster starling.ClusterID) {
	if n.became[micro] == 0 {
		n.clusters[micro] = cluster
	}
}

func (n *naive) join(micro, into starling.MicroID) {
	if micro == into || n.became[micro] != 0 || n.became[into] != 0 {
		return
	}
	delete(n.clusters, micro)
	n.became[micro] = into
	for before, now := range n.became {
		if now == micro {
			n.became[before] = into
		}
	}
}

// members returns the documents with the micro-clusters and the clusters that
// they are in now.
func (n *naive) members() []starling.Update {
	members := slices.DeleteFunc(slices.Clone(n.documents), func(u starling.Update) bool { return u.Micro == 0 })
	for i, u := range members {
		if now := n.became[u.Micro]; now != 0 {
			members[i].Micro = now
		}
		members[i].Cluster = n.clusters[members[i].Micro]
	}
	return members
}

// A stream makes records as a clustering would: new micro-clusters and clusters
// now and then, and regroupings. The same seed makes the same records.
type stream struct {
	naive
	random      *rand.Rand
	seq         int64
	lastMicro   starling.MicroID
	lastCluster starling.ClusterID
}

func newStream(seed uint64) *stream {
	return &stream{naive: newNaive(), random: rand.New(rand.NewPCG(seed, 0))}
}

func (s *stream) next() store.Record {
	s.seq++
	u := starling.Update{Seq: s.seq, Document: starling.Document{
		ID:   fmt.Sprintf("id-%d", s.seq),
		Text: fmt.Sprintf("text %d of a stream, no two the same: %x", s.seq, s.random.Uint64()),
	}}
	if s.seq%3 == 0 {
		u.Time = time.Unix(1_700_000_000, s.random.Int64N(1e12)).UTC()
		u.Attributes = map[string]string{"lang": "en", "n": fmt.Sprint(s.seq)}
	}
	if s.seq%10 == 0 {
		u.Events = s.regroup()
	}
	before := s.lastCluster
	u.Assignment = s.assign()
	if u.Cluster > before {
		u.Events = append(u.Events, starling.Event{Kind: starling.Created, To: u.Cluster, Size: 1})
	}
	s.follow(u)
	return store.Record{Update: u, Embedding: s.vector()}
}

// assign draws where a document goes: a micro-cluster that there is, or a new one
// of a cluster that there is or of a new one.
func (s *stream) assign() starling.Assignment {
	a := starling.Assignment{Similarity: s.random.Float32()}
	if len(s.clusters) > 2 && s.random.IntN(8) > 0 {
		a.Micro = s.someMicro()
		a.Cluster = s.clusters[a.Micro]
		return a
	}
	if len(s.clusters) > 2 && s.random.IntN(2) > 0 {
		a.Cluster = s.clusters[s.someMicro()]
	} else {
		a.Cluster = s.newCluster()
	}
	s.lastMicro++
	a.Micro = s.lastMicro
	return a
}

func (s *stream) newCluster() starling.ClusterID {
	s.lastCluster++
	return s.lastCluster
}

// someMicro returns a micro-cluster that joined no other.
func (s *stream) someMicro() starling.MicroID {
	return s.microsOf(func(starling.ClusterID) bool { return true }, 1)[0]
}

// microsOf returns up to n micro-clusters, in no order, of clusters that are wanted.
func (s *stream) microsOf(wanted func(starling.ClusterID) bool, n int) []starling.MicroID {
	var all []starling.MicroID
	for _, micro := range slices.Sorted(maps.Keys(s.clusters)) {
		if wanted(s.clusters[micro]) {
			all = append(all, micro)
		}
	}
	s.random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:min(n, len(all))]
}

// regroup returns what became of micro-clusters and clusters, and follows it.
func (s *stream) regroup() (events []starling.Event) {
	for _, draw := range []func() starling.Event{s.join, s.merge, s.split} {
		if len(s.clusters) > 4 && s.random.IntN(2) > 0 {
			event := draw()
			s.followEvents([]starling.Event{event})
			events = append(events, event)
		}
	}
	return events
}

func (s *stream) join() starling.Event {
	some := s.microsOf(func(starling.ClusterID) bool { return true }, 2+s.random.IntN(2))
	return starling.Event{Kind: starling.Joined, Micros: some[1:], Into: some[0], To: s.clusters[some[0]], Size: 2}
}

func (s *stream) merge() starling.Event {
	from, to := s.clusters[s.someMicro()], s.clusters[s.someMicro()]
	if from == to {
		to = s.newCluster()
	}
	return starling.Event{Kind: starling.Merged, From: []starling.ClusterID{from}, To: to, Size: 2}
}

func (s *stream) split() starling.Event {
	from := s.clusters[s.someMicro()]
	some := s.microsOf(func(cluster starling.ClusterID) bool { return cluster == from }, 1+s.random.IntN(5))
	return starling.Event{Kind: starling.Split, From: []starling.ClusterID{from}, Micros: some, To: s.newCluster(), Size: 2}
}

func (s *stream) vector() []float32 {
	vector := make([]float32, testIdentity.Dim)
	for i := range vector {
		vector[i] = s.random.Float32()*2 - 1
	}
	return vector
}

func (s *stream) records(n int) []store.Record {
	records := make([]store.Record, n)
	for i := range records {
		records[i] = s.next()
	}
	return records
}
