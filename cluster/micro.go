package cluster

import (
	"starling"
	"starling/birch"
)

// A micro is what is known of one micro-cluster beside its features, which are
// in the tree. What people see of a cluster is put together from its
// micro-clusters, so that it moves with them.
type micro struct {
	id    birch.ID
	group *group
	size  int64 // documents
	// duplicates counts the documents that were hardly different from the
	// centroid when they came.
	duplicates int64
	terms      termCounts
	text       exemplar
}

// duplicateSimilarity is the cosine from which on a document is a near-duplicate:
// a word or two of some twenty differ.
const duplicateSimilarity = 0.97

// absorb adds a document.
func (m *micro) absorb(text string, terms []Term, similarity float32) {
	m.size++
	if m.size > 1 && similarity >= duplicateSimilarity {
		m.duplicates++
	}
	m.text.offer(text, similarity, m.size)
	for _, term := range terms {
		m.terms.add(term, 1)
	}
}

// take adds the counts of a micro-cluster that ends.
func (m *micro) take(other *micro) {
	m.size += other.size
	m.duplicates += other.duplicates
	for _, t := range other.terms {
		m.terms.add(t.Term, t.count)
	}
}

// isPinned says whether the micro-cluster is in a pinned cluster.
func (m *micro) isPinned() bool { return m.group != nil && m.group.pinned }

// A group is a cluster: some micro-clusters, at least one.
type group struct {
	id     starling.ClusterID
	micros map[birch.ID]*micro
	// size counts the documents: those of all micros, and of such as expired.
	size  int64
	faded bool
	// name is what people call the cluster; empty for nothing.
	name string
	// pinned says that the linkage takes the cluster as it is: see [linkage].
	pinned bool
}

// add makes a micro-cluster part of the group.
func (g *group) add(m *micro) {
	m.group = g
	g.micros[m.id] = m
	g.size += m.size
}

// remove takes a micro-cluster out.
func (g *group) remove(m *micro) {
	delete(g.micros, m.id)
	g.size -= m.size
}
