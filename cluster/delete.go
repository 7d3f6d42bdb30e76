package cluster

import (
	"errors"
	"fmt"
	"slices"

	"starling"
	"starling/birch"
)

// A Deletion is a document to be deleted, as it was applied: a state does not
// hold its documents.
type Deletion struct {
	// Update holds the document, with the cluster and the micro-cluster that it
	// is in now. Their ids may have ended by expiring only.
	starling.Update
	Vector []float32
	// Instead is the text of another document of its micro-cluster, which is
	// shown where its own was; it may be empty where there is no other.
	Instead string
}

// Delete takes a document out of its micro-cluster's features and counts, and
// returns what that did, as [State.Edit] does. The weight that leaves is that of
// a document of the micro-cluster on average, which without a half-life is 1.
// Terms that only the document used leave with it; what it adds to the counts of
// all documents, which are kept by hash, stays, and may rank other terms of
// clusters a little lower. The caller makes sure that no document is deleted twice.
// On an error the state is as it was.
func (s *State) Delete(d Deletion) ([]starling.Event, error) {
	events, err := s.delete(d)
	if err != nil {
		return nil, fmt.Errorf("deleting document %q: %w", d.ID, err)
	}
	s.deleted++
	s.forgetFirst(d.Vector)
	s.record(events)
	return events, nil
}

func (s *State) delete(d Deletion) ([]starling.Event, error) {
	if m, ok := s.micros[birch.ID(d.Micro)]; ok {
		return s.deleteFrom(m, d)
	}
	i, ok := s.find(d.Cluster)
	switch {
	case !ok && s.expired == 0, ok && s.groups[i].size == s.groups[i].held():
		return nil, fmt.Errorf("there is no micro-cluster %v, and none of cluster %v that expired", d.Micro, d.Cluster)
	case !ok:
		s.expired--
		return []starling.Event{{Kind: starling.Deleted, To: d.Cluster, Document: d.Seq}}, nil
	}
	g := s.groups[i]
	g.size--
	return []starling.Event{g.deleted(d)}, nil
}

// deleteFrom takes a document out of a micro-cluster, which ends with its last.
func (s *State) deleteFrom(m *micro, d Deletion) ([]starling.Event, error) {
	g := m.group
	if g.id != d.Cluster {
		return nil, fmt.Errorf("micro-cluster %v is in cluster %v, not in %v", d.Micro, g.id, d.Cluster)
	}
	if m.size > 1 && d.Instead == "" && m.shows(d.Text) {
		return nil, errors.New("no text to be shown instead of its own")
	}
	entry, _ := s.tree.Entry(m.id)
	if err := s.tree.RemoveWeighted(m.id, d.Vector, entry.N/float64(m.size)); err != nil {
		return nil, err
	}
	m.forget(d)
	g.size--
	if m.size == 0 {
		delete(s.micros, m.id)
		delete(g.micros, m.id)
	}
	events := append([]starling.Event{g.deleted(d)}, s.endDeleted(g)...)
	return events, nil
}

// endDeleted ends a cluster that lost its last micro-cluster. If it has documents
// whose micro-clusters expired, it expires with them.
func (s *State) endDeleted(g *group) []starling.Event {
	if len(g.micros) > 0 {
		return nil
	}
	if g.size > 0 {
		return s.expireGroup(g)
	}
	s.end(g)
	return nil
}

// deleted is the event of a document that left the cluster.
func (g *group) deleted(d Deletion) starling.Event {
	return starling.Event{Kind: starling.Deleted, To: g.id, Size: g.size, Document: d.Seq}
}

// held returns how many documents are in micro-clusters that have not expired.
func (g *group) held() (size int64) {
	for _, m := range g.micros {
		size += m.size
	}
	return size
}

// shows says whether a text is the representative one.
func (m *micro) shows(text string) bool { return m.text.text == shorten(text) }

// forget takes a document out of the counts.
func (m *micro) forget(d Deletion) {
	m.size--
	if d.Similarity >= duplicateSimilarity {
		m.duplicates--
	}
	m.duplicates = min(max(0, m.duplicates), max(0, m.size-1))
	if m.shows(d.Text) {
		m.text.text = shorten(d.Instead)
	}
	for _, term := range Terms(d.Text) {
		m.terms.remove(term)
	}
}

// forgetFirst drops the vector of a document from those that the thresholds are
// found from.
func (s *State) forgetFirst(vector []float32) {
	same := func(v []float32) bool { return slices.Equal(v, vector) }
	if i := slices.IndexFunc(s.first, same); i >= 0 {
		s.first = slices.Delete(s.first, i, i+1)
	}
}
