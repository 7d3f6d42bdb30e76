package cluster

import (
	"cmp"
	"slices"

	"starling"
	"starling/birch"
	"starling/vec"
)

// regroup finds the clusters anew: see [State.regroup].
func (m *Merger) regroup() []starling.Event {
	s := m.clusters
	micros, found, work := m.link()
	events := s.apply(s.match(micros, found))
	m.measureMeans()
	s.next = s.documents + max(32, min(s.documents, calibrationDocuments), work)
	return events
}

// link returns all micro-clusters, for each the number of its new group, and after
// how many documents that may be done again. Where shards have more micro-clusters
// than one tree holds, those that one tree would have joined are joined first.
func (m *Merger) link() ([]*micro, []int, int64) {
	s := m.clusters
	micros := make([]*micro, len(m.features))
	for i, f := range m.features {
		micros[i] = f.micro
	}
	places, f := m.condense()
	groups := s.unrelated.linkage().group(f, &s.room)
	found := make([]int, len(micros))
	for i, place := range places {
		found[i] = groups[place]
	}
	return micros, found, int64(len(micros)) * int64(len(f.weights)) / 500
}

// condense returns the features to be linked and, for each micro-cluster, which of
// them it is part of.
func (m *Merger) condense() ([]int, features) {
	f := features{dim: m.clusters.config.Dim}
	places := make([]int, len(m.features))
	if len(m.features) <= m.clusters.config.MaxMicros {
		for i, known := range m.features {
			places[i] = i
			f.add(float64(known.micro.size), known.mean)
		}
		return places, f
	}
	tree, entries := m.tree()
	place := make(map[birch.ID]int, tree.Len())
	for entry := range tree.Entries() {
		place[entry.ID] = len(f.weights)
		f.add(entry.N, entry.Mean)
	}
	for i, id := range entries {
		places[i] = place[id]
	}
	return places, f
}

// tree returns a tree of the features of all shards and, for each, the entry that it
// is part of.
func (m *Merger) tree() (*birch.Tree, []birch.ID) {
	config := m.clusters.config
	if config.Threshold == 0 {
		config.Threshold = m.clusters.unrelated.Threshold()
	}
	tree, err := config.newTree()
	if err != nil {
		panic("cluster: " + err.Error()) // the settings were checked
	}
	order := make([]int, len(m.features))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(m.features[b].micro.size, m.features[a].micro.size) })
	entries, joined := make([]birch.ID, len(order)), make(map[birch.ID]birch.ID)
	for _, i := range order {
		f := m.features[i]
		n := float64(f.micro.size)
		inserted, err := tree.InsertEntry(birch.Entry{N: n, Mean: f.mean, S: n * max(0, 1-float64(vec.Dot(f.mean, f.mean)))})
		if err != nil {
			panic("cluster: " + err.Error()) // the report was checked
		}
		for _, merge := range inserted.Merges {
			joined[merge.From] = merge.To
		}
		entries[i] = inserted.Entry
	}
	for i, id := range entries {
		for into, ok := joined[id]; ok; into, ok = joined[id] {
			id = into
		}
		entries[i] = id
	}
	return tree, entries
}

// measureMeans sets the means of all clusters from the features.
func (m *Merger) measureMeans() {
	weights := make(map[*group]float64, len(m.clusters.groups))
	clear(m.means)
	for _, g := range m.clusters.groups {
		m.means[g] = make([]float32, m.clusters.config.Dim)
	}
	for _, f := range m.features {
		weights[f.micro.group] += float64(f.micro.size)
	}
	for _, f := range m.features {
		vec.AddScaled(m.means[f.micro.group], f.mean, float32(float64(f.micro.size)/weights[f.micro.group]))
	}
}
