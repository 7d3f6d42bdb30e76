package cluster

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"starling"
	"starling/birch"
	"starling/vec"
)

// A State clusters one stream. It is not safe for use by several goroutines.
type State struct {
	config Config
	tree   *birch.Tree
	// documents counts the documents applied; it is the Seq of the last one.
	documents int64
	// lastID is the id given out last; ids grow by one with each new cluster.
	lastID starling.ClusterID
	// groups holds the live clusters, each of which has one micro-cluster.
	groups map[starling.ClusterID]*group
	// owners maps every leaf entry of the tree to its cluster: len(owners) ==
	// len(groups) == tree.Len().
	owners map[birch.ID]starling.ClusterID
	// common counts the terms of all documents.
	common *termSketch
}

// A group is what is known of one cluster.
type group struct {
	id    starling.ClusterID
	micro birch.ID
	size  int64
	terms termCounts
	text  exemplar
}

// New returns the state of a stream that has not begun.
func New(config Config) (*State, error) {
	config = config.withDefaults()
	if err := config.validate(); err != nil {
		return nil, fmt.Errorf("clustering settings: %w", err)
	}
	tree, err := config.newTree()
	if err != nil {
		return nil, fmt.Errorf("clustering settings: %w", err)
	}
	return &State{
		config: config,
		tree:   tree,
		groups: make(map[starling.ClusterID]*group),
		owners: make(map[birch.ID]starling.ClusterID),
		common: new(termSketch),
	}, nil
}

// Config returns the settings, defaults filled in.
func (s *State) Config() Config { return s.config }

// Documents returns how many documents were applied.
func (s *State) Documents() int64 { return s.documents }

// Len returns the number of clusters.
func (s *State) Len() int { return len(s.groups) }

// Threshold returns the threshold in force, which rises above the one set
// when the bound on micro-clusters is reached.
func (s *State) Threshold() float64 { return s.tree.Threshold() }

// Expect tells the state the vectors of the documents to be applied next, in
// order, which makes applying them several times faster where there are many
// clusters. It changes nothing else: some may be left out or refused, and one not
// told of ends the expectation. The state holds on to vectors until then.
func (s *State) Expect(vectors [][]float32) { s.tree.Expect(vectors) }

// Apply clusters one document by its vector, a row of Config.Dim finite values,
// and returns what that changed. The caller makes sure that no id comes twice.
// On an error the state is as it was.
func (s *State) Apply(doc starling.Document, vector []float32) (starling.Update, error) {
	inserted, err := s.tree.Insert(vector)
	if err != nil {
		return starling.Update{}, fmt.Errorf("clustering document %q: %w", doc.ID, err)
	}
	s.documents++
	update := starling.Update{Seq: s.documents, Document: doc}
	update.Events = s.merge(inserted.Merges)

	g, known := s.groups[s.owners[inserted.Entry]]
	if !known {
		g = s.create(inserted.Entry)
		update.Events = append(update.Events, starling.Event{Kind: starling.Created, To: g.id, Size: 1})
	}
	similarity := s.similarity(inserted.Entry, vector)
	s.absorb(g, doc, similarity)
	if known && isMilestone(g.size) {
		update.Events = append(update.Events, starling.Event{Kind: starling.Grew, To: g.id, Size: g.size})
	}
	update.Assignment = starling.Assignment{
		Cluster:    g.id,
		Micro:      starling.MicroID(inserted.Entry),
		Similarity: similarity,
	}
	return update, nil
}

func (s *State) create(micro birch.ID) *group {
	s.lastID++
	g := &group{id: s.lastID, micro: micro}
	s.groups[g.id] = g
	s.owners[micro] = g.id
	return g
}

// absorb adds a document to the counts of its cluster.
func (s *State) absorb(g *group, doc starling.Document, similarity float32) {
	g.size++
	g.text.offer(doc.Text, similarity, g.size)
	for _, term := range terms(doc.Text) {
		g.terms.add(term, 1)
		s.common.add(term)
	}
}

// similarity is the cosine of a vector and the centroid of its micro-cluster.
func (s *State) similarity(micro birch.ID, vector []float32) float32 {
	entry, ok := s.tree.Entry(micro)
	if !ok {
		return 0
	}
	dot := float64(vec.Dot(vector, entry.Mean))
	norms := float64(vec.Dot(vector, vector)) * float64(vec.Dot(entry.Mean, entry.Mean))
	if norms == 0 {
		return 0
	}
	return float32(min(1, max(-1, dot/math.Sqrt(norms))))
}

// merge follows what a rebuild of the tree joined: the clusters of joined
// micro-clusters become one. It returns one event for each that took others in,
// in the order of their ids.
func (s *State) merge(merges []birch.Merge) []starling.Event {
	ended := make(map[starling.ClusterID][]starling.ClusterID)
	for _, m := range merges {
		// A rebuild comes before the vector at hand is placed, so both are owned.
		from, to := s.owners[m.From], s.owners[m.To]
		delete(s.owners, m.From)
		s.groups[to].take(s.groups[from])
		delete(s.groups, from)
		ended[to] = append(append(ended[to], from), ended[from]...)
		delete(ended, from)
	}
	events := make([]starling.Event, 0, len(ended)+1)
	for to, from := range ended {
		slices.Sort(from)
		events = append(events, starling.Event{Kind: starling.Merged, From: from, To: to, Size: s.groups[to].size})
	}
	slices.SortFunc(events, func(a, b starling.Event) int { return cmp.Compare(a.To, b.To) })
	return events
}

// take adds the counts of a cluster that ends to those of g.
func (g *group) take(other *group) {
	g.size += other.size
	for _, t := range other.terms {
		g.terms.add(t.term, t.count)
	}
}

// isMilestone says whether a size is 1, 2 or 5 times a power of ten, from 5 on.
func isMilestone(size int64) bool {
	if size < 5 {
		return false
	}
	for size%10 == 0 {
		size /= 10
	}
	return size == 1 || size == 2 || size == 5
}
