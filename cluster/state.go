package cluster

import (
	"fmt"
	"slices"
	"time"

	"starling"
	"starling/birch"
)

// A State clusters one stream. It is not safe for use by several goroutines.
type State struct {
	config Config
	tree   *birch.Tree
	// documents counts the documents applied; it is the Seq of the last one.
	documents int64
	// lastID is the id given out last; ids grow by one with each new cluster.
	lastID starling.ClusterID
	// next is the number of documents at which the clusters are found anew.
	next int64
	// unrelated is the calibration in force: that of the model until there are
	// calibrationDocuments, then that of the stream.
	unrelated Calibration
	// fadedAt is the number of documents, and clock the latest time of a
	// document, when weights last decayed.
	fadedAt int64
	// termAge is how many half-lives ago the counts of terms were halved last,
	// below 1.
	termAge float64
	clock   time.Time
	// expired counts the documents of clusters that expired.
	expired int64
	// deleted counts the documents that were deleted.
	deleted int64
	// edits counts the edits made.
	edits int64
	// pending holds the events of edits since the last document.
	pending []starling.Event
	// first holds the vectors of the first documents until then, but for those
	// that were deleted.
	first [][]float32
	// micros holds what is known of every leaf entry of the tree: one each, and
	// each in a group.
	micros map[birch.ID]*micro
	// groups holds the clusters by rising id.
	groups []*group
	// places holds for every micro-cluster that has one, in the order of the tree,
	// where its cluster is in groups; nil while that is not known. See [State.place].
	places []int32
	// room is memory for finding the clusters anew.
	room room
	// common counts the terms of all documents.
	common *termSketch
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
		config:    config,
		tree:      tree,
		next:      after(0, 0),
		unrelated: config.Unrelated,
		micros:    make(map[birch.ID]*micro),
		common:    new(termSketch),
	}, nil
}

// Config returns the settings, defaults filled in.
func (s *State) Config() Config { return s.config }

// Documents returns how many documents were applied, those that were deleted since
// among them.
func (s *State) Documents() int64 { return s.documents }

// Deleted returns how many documents were deleted.
func (s *State) Deleted() int64 { return s.deleted }

// Len returns the number of clusters.
func (s *State) Len() int { return len(s.groups) }

// Micros returns the number of micro-clusters.
func (s *State) Micros() int { return s.tree.Len() }

// Threshold returns the threshold in force. It is found from the first documents
// unless it was set, and rises when the bound on micro-clusters is reached.
func (s *State) Threshold() float64 { return s.tree.Threshold() }

// Calibration returns how alike unrelated texts are, and whether that was found
// from the stream itself; before, it is what the settings say of the model.
func (s *State) Calibration() (unrelated Calibration, fromStream bool) {
	return s.unrelated, s.documents >= calibrationDocuments
}

// ClusterOf returns the cluster that a micro-cluster is in, and false for one
// that there is not, or not any more: [starling.Joined] says what it became.
func (s *State) ClusterOf(id starling.MicroID) (starling.ClusterID, bool) {
	m, ok := s.micros[birch.ID(id)]
	if !ok {
		return 0, false
	}
	return m.group.id, true
}

// Expect tells the state the vectors of the documents to be applied next, in
// order, which makes applying them several times faster where there are many
// clusters. It changes nothing else: some may be left out or refused, and one not
// told of ends the expectation. The state holds on to vectors until then.
func (s *State) Expect(vectors [][]float32) { s.tree.Expect(vectors) }

// Apply clusters one document by its vector, a row of Config.Dim finite values,
// and returns what that changed. The caller makes sure that no id comes twice.
// On an error the state is as it was.
func (s *State) Apply(doc starling.Document, vector []float32) (starling.Update, error) {
	return s.ApplyWithTerms(doc, vector, Terms(doc.Text))
}

// ApplyWithTerms is [State.Apply] with the [Terms] of the document's text, which can
// be found by another goroutine before.
func (s *State) ApplyWithTerms(doc starling.Document, vector []float32, terms []Term) (starling.Update, error) {
	if err := s.tree.Check(vector); err != nil {
		return starling.Update{}, fmt.Errorf("clustering document %q: %w", doc.ID, err)
	}
	due := s.documents+1 >= s.next
	events := s.pending
	s.pending = nil
	if due {
		events = append(events, s.fade(doc.Time)...)
	}
	s.documents++
	calibrated, merges := s.calibrate(vector)
	inserted, err := s.tree.Insert(vector)
	if err != nil {
		panic("cluster: " + err.Error()) // it was checked
	}
	events = append(events, s.followMerges(append(merges, inserted.Merges...))...)
	m, known := s.micros[inserted.Entry]
	if !known {
		m = &micro{id: inserted.Entry}
		s.micros[m.id] = m
	}
	similarity := similarity(s.tree, m.id, vector)
	s.count(m, doc.Text, terms, similarity)
	if calibrated || due {
		events = append(events, s.regroup()...)
	} else {
		s.settle(m, vector)
	}
	events = append(events, m.group.wake()...)
	return starling.Update{
		Seq:        s.documents,
		Document:   doc,
		Assignment: starling.Assignment{Cluster: m.group.id, Micro: starling.MicroID(m.id), Similarity: similarity},
		Events:     append(events, sizeEvents(m.group)...),
	}, nil
}

// count adds a document to the counts of its micro-cluster and of the stream.
func (s *State) count(m *micro, text string, terms []Term, similarity float32) {
	m.absorb(text, terms, similarity)
	if m.group != nil {
		m.group.size++
	}
	for _, term := range terms {
		s.common.add(term)
	}
}

// settle makes sure that the micro-cluster of the document at hand has a cluster.
func (s *State) settle(m *micro, vector []float32) {
	if m.group == nil {
		g := s.nearest(vector, s.tree.Compared(), s.tree.DotBound(vector))
		if g == nil {
			g = s.newGroup()
		}
		g.add(m)
		place, _ := s.find(g.id)
		s.places = append(s.places, int32(place))
	}
}

// calibrate gathers the vectors of the first documents of the stream and, once
// there are enough, finds the thresholds from them. It says whether it did so just
// now, and which micro-clusters were joined because of that.
func (s *State) calibrate(vector []float32) (bool, []birch.Merge) {
	if s.documents > calibrationDocuments {
		return false, nil
	}
	s.first = append(s.first, slices.Clone(vector))
	if s.documents < calibrationDocuments {
		return false, nil
	}
	// Where nearly all were deleted there is nothing to be found.
	if found, err := Calibrate(s.first); err == nil {
		s.unrelated = found.within(s.config.Unrelated)
	}
	s.first = nil
	if s.config.Threshold != 0 {
		return true, nil
	}
	merges, err := s.tree.SetThreshold(s.unrelated.Threshold())
	if err != nil {
		panic("cluster: " + err.Error()) // a calibration gives a threshold that fits
	}
	return true, merges
}

// sizeEvents returns what is to be said of the size that a document gave its
// cluster.
func sizeEvents(g *group) []starling.Event {
	switch {
	case g.size == 1:
		return []starling.Event{{Kind: starling.Created, To: g.id, Size: 1}}
	case isMilestone(g.size):
		return []starling.Event{{Kind: starling.Grew, To: g.id, Size: g.size}}
	}
	return nil
}

// followMerges follows what a rebuild of the tree joined: the documents of a
// micro-cluster that ended are those of another one now, and of its cluster.
// Rebuilds come before the vector at hand is placed, so all of them are known.
func (s *State) followMerges(merges []birch.Merge) []starling.Event {
	var events []starling.Event
	for _, merge := range merges {
		events = append(events, s.join(s.micros[merge.From], s.micros[merge.To])...)
	}
	return events
}

// join makes a micro-cluster part of another one.
func (s *State) join(from, to *micro) []starling.Event {
	var events []starling.Event
	if from.isPinned() && !to.isPinned() {
		events = s.move(to, from.group)
	}
	s.places = nil
	delete(s.micros, from.id)
	from.group.remove(from)
	to.take(from)
	to.group.size += from.size
	events = append(events, starling.Event{
		Kind: starling.Joined, To: to.group.id, Size: to.group.size,
		Micros: []starling.MicroID{starling.MicroID(from.id)}, Into: starling.MicroID(to.id),
	})
	return append(events, s.endEmpty(from.group, to.group)...)
}

// move moves a micro-cluster from its cluster to another one.
func (s *State) move(m *micro, to *group) []starling.Event {
	from := m.group
	from.remove(m)
	to.add(m)
	if len(from.micros) == 0 {
		return s.endEmpty(from, to)
	}
	return []starling.Event{{
		Kind: starling.Split, From: []starling.ClusterID{from.id}, To: to.id, Size: to.size, Micros: []starling.MicroID{starling.MicroID(m.id)},
	}}
}

// endEmpty ends a cluster if it has no micro-clusters left: its documents are those
// of another one.
func (s *State) endEmpty(g, to *group) []starling.Event {
	if len(g.micros) > 0 {
		return nil
	}
	s.end(g)
	to.size += g.size // of micro-clusters that expired
	events := []starling.Event{{Kind: starling.Merged, From: []starling.ClusterID{g.id}, To: to.id, Size: to.size}}
	if to.inherit(g) {
		events = append(events, to.renamed())
	}
	return events
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
