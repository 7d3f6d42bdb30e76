package cluster

import (
	"cmp"
	"slices"

	"starling"
	"starling/birch"
)

// calibrationDocuments is how many documents at the beginning of a stream the
// thresholds are found from.
const calibrationDocuments = 256

// after returns the number of documents at which the clusters are found anew,
// when that was done at documents with a number of micro-clusters. It comes often
// at the beginning, and then so seldom that its cost, which grows with the
// square of the micro-clusters, stays the same for each document.
func after(documents int64, micros int) int64 {
	return documents + max(32, min(documents, calibrationDocuments), int64(micros)*int64(micros)/500)
}

// regroup finds the clusters anew from the features of all micro-clusters and
// gives them the ids of the clusters before as far as they are the same. Micros
// without a group, which are new, get one. The events lead from the old clusters
// to the new ones.
func (s *State) regroup() []starling.Event {
	micros, found := s.link()
	s.places = nil
	parts := s.match(micros, found)
	events := s.apply(parts)
	s.next = after(s.documents, len(micros))
	return events
}

// link returns all micro-clusters in the order of the tree, and for each the
// number of its new group. A pinned cluster is one feature.
func (s *State) link() ([]*micro, []int) {
	n := s.tree.Len()
	micros, places := make([]*micro, 0, n), make([]int, 0, n)
	f := features{dim: s.config.Dim, weights: make([]float64, 0, n), means: withRoom(s.room.means, n*s.config.Dim)[:0]}
	pinned := make(map[*group]int)
	for entry := range s.tree.Entries() {
		m := s.micros[entry.ID]
		micros = append(micros, m)
		if place, ok := pinned[m.group]; ok {
			f.merge(place, entry.N, entry.Mean)
			places = append(places, place)
			continue
		}
		places = append(places, len(f.weights))
		f.pinned = append(f.pinned, m.isPinned())
		if m.isPinned() {
			pinned[m.group] = len(f.weights)
		}
		f.add(entry.N, entry.Mean)
	}
	s.room.means = f.means[:cap(f.means)]
	groups := s.unrelated.linkage().group(f, &s.room)
	for i, place := range places {
		places[i] = groups[place]
	}
	return micros, places
}

// A part is the micro-clusters of one old cluster, or none, that are in one new
// cluster.
type part struct {
	from   *group // nil for micro-clusters that are new
	found  int    // number of the new cluster
	size   int64
	micros []*micro
	to     *group // set once the new clusters have their ids
}

// match cuts the micro-clusters into parts and finds for each new cluster the old
// one whose id it keeps: the pinned one, if there is one in it, and then, of all
// pairs, that with the most documents in common first. New clusters that are left
// get new ids.
func (s *State) match(micros []*micro, found []int) []*part {
	parts := partsOf(micros, found)
	order := slices.Clone(parts)
	slices.SortStableFunc(order, func(a, b *part) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(b.size, a.size))
	})
	heirs, taken := make(map[int]*group), make(map[*group]bool)
	for _, p := range order {
		if p.from != nil && heirs[p.found] == nil && !taken[p.from] {
			heirs[p.found], taken[p.from] = p.from, true
		}
	}
	for _, p := range parts {
		if heirs[p.found] == nil {
			heirs[p.found] = s.newGroup()
		}
		p.to = heirs[p.found]
	}
	return parts
}

// rank is 0 for a part that gives its id to the new cluster before all others.
func (p *part) rank() int {
	if p.from != nil && p.from.pinned {
		return 0
	}
	return 1
}

// partsOf returns the parts by the id of the old cluster, those without one last,
// and within that in the order of their first micro-clusters.
func partsOf(micros []*micro, found []int) []*part {
	type key struct {
		from  *group
		found int
	}
	byKey := make(map[key]*part)
	var parts []*part
	for i, m := range micros {
		k := key{m.group, found[i]}
		p := byKey[k]
		if p == nil {
			p = &part{from: m.group, found: found[i]}
			byKey[k] = p
			parts = append(parts, p)
		}
		p.micros = append(p.micros, m)
		p.size += m.size
	}
	slices.SortStableFunc(parts, func(a, b *part) int {
		if a.from == nil || b.from == nil {
			return cmp.Compare(nilLast(a.from), nilLast(b.from))
		}
		return cmp.Compare(a.from.id, b.from.id)
	})
	return parts
}

func nilLast(g *group) int {
	if g == nil {
		return 1
	}
	return 0
}

// apply moves the parts to their new clusters. What leaves a cluster that goes
// on is split off; of a cluster that ends, the largest part is merged into
// another one and the rest is split off before that.
func (s *State) apply(parts []*part) []starling.Event {
	var events []starling.Event
	ending := make(map[*group]*part) // the part that takes the id with it
	for _, p := range parts {
		if p.from != nil && (ending[p.from] == nil || p.size > ending[p.from].size) {
			ending[p.from] = p
		}
	}
	for _, p := range parts {
		if p.to == p.from {
			delete(ending, p.from)
		}
	}
	for _, p := range parts {
		if p.from == nil || p.to == p.from || ending[p.from] == p {
			continue
		}
		p.move()
		events = append(events, starling.Event{
			Kind: starling.Split, From: []starling.ClusterID{p.from.id}, To: p.to.id, Size: p.to.size, Micros: idsOf(p.micros),
		})
	}
	events = append(events, s.merge(parts, ending)...)
	for _, p := range parts {
		if p.from == nil {
			p.move()
		}
	}
	return events
}

// move moves the micro-clusters of a part to their new cluster.
func (p *part) move() {
	for _, m := range p.micros {
		if p.from != nil {
			p.from.remove(m)
		}
		p.to.add(m)
	}
}

// merge ends the clusters that ending names, and returns an event for each
// cluster that took others in, in the order of their ids, followed by one of the
// name that it took over.
func (s *State) merge(parts []*part, ending map[*group]*part) []starling.Event {
	ended := make(map[*group][]starling.ClusterID)
	renamed := make(map[*group]bool)
	for _, p := range parts { // by the ids of the old clusters
		if p.from == nil || ending[p.from] != p {
			continue
		}
		p.move()
		s.end(p.from)
		p.to.size += p.from.size // of micro-clusters that expired
		ended[p.to] = append(ended[p.to], p.from.id)
		if p.to.inherit(p.from) {
			renamed[p.to] = true
		}
	}
	events := make([]starling.Event, 0, len(ended)+len(renamed))
	for to, from := range ended {
		events = append(events, starling.Event{Kind: starling.Merged, From: from, To: to.id, Size: to.size})
	}
	for to := range renamed {
		events = append(events, to.renamed())
	}
	slices.SortFunc(events, func(a, b starling.Event) int {
		return cmp.Or(cmp.Compare(a.To, b.To), cmp.Compare(a.Kind, b.Kind)) // merged before renamed
	})
	return events
}

// idsOf returns the ids of micro-clusters, rising.
func idsOf(micros []*micro) []starling.MicroID {
	ids := make([]starling.MicroID, len(micros))
	for i, m := range micros {
		ids[i] = starling.MicroID(m.id)
	}
	slices.Sort(ids)
	return ids
}

// newGroup begins a cluster.
func (s *State) newGroup() *group {
	s.lastID++
	g := &group{id: s.lastID, micros: make(map[birch.ID]*micro)}
	s.groups = append(s.groups, g)
	return g
}

// end removes a cluster that has no micro-clusters left.
func (s *State) end(g *group) {
	i, _ := s.find(g.id)
	s.groups = slices.Delete(s.groups, i, i+1)
}

// find returns where a cluster is, or would be, among all.
func (s *State) find(id starling.ClusterID) (int, bool) {
	return slices.BinarySearchFunc(s.groups, id, func(g *group, id starling.ClusterID) int { return cmp.Compare(g.id, id) })
}
