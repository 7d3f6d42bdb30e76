package cluster

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"starling"
	"starling/birch"
)

// Edit makes a change that a person asked for, and returns what that did. The
// next update begins with the same events, for those who follow updates alone. On
// an error the state is as it was. The caller does not change the events.
//
// A pinned cluster may take in others but is neither split nor joined with
// another pinned one, with one exception: where room has to be made, the closest
// micro-clusters are joined, whosever they are. A pin does not keep a cluster
// from fading. A name goes on with the cluster that a named one becomes part of,
// unless that has one.
func (s *State) Edit(e starling.Edit) ([]starling.Event, error) {
	events, err := s.edit(e)
	if err != nil {
		return nil, fmt.Errorf("editing clusters: %s: %w", e.Kind, err)
	}
	s.record(events)
	return events, nil
}

// Edits returns how many edits were made, deletions among them.
func (s *State) Edits() int64 { return s.edits }

func (s *State) edit(e starling.Edit) ([]starling.Event, error) {
	g, err := s.cluster(e.Cluster)
	if err != nil {
		return nil, err
	}
	switch e.Kind {
	case starling.EditDelete:
		return nil, errors.New("it takes a Deletion")
	case starling.EditMerge:
		return s.mergeInto(g, e.From)
	case starling.EditSplit:
		return s.split(g, e.Micros)
	case starling.EditRename:
		return g.rename(e.Name)
	case starling.EditPin:
		return g.pin(), nil
	case starling.EditUnpin:
		return g.unpin(), nil
	}
	return nil, errors.New("there is no such edit")
}

// record notes that an edit was made.
func (s *State) record(events []starling.Event) {
	s.edits++
	s.places = nil
	s.pending = append(s.pending, events...)
}

// cluster returns a cluster by its id.
func (s *State) cluster(id starling.ClusterID) (*group, error) {
	i, ok := s.find(id)
	if !ok {
		return nil, fmt.Errorf("there is no cluster %v; it may have become part of another one", id)
	}
	return s.groups[i], nil
}

// mergeInto makes other clusters part of one.
func (s *State) mergeInto(to *group, from []starling.ClusterID) ([]starling.Event, error) {
	others, err := s.others(to, from)
	if err != nil {
		return nil, err
	}
	renamed := false
	for _, g := range others {
		s.dissolve(g, to)
		renamed = to.inherit(g) || renamed
	}
	events := []starling.Event{{Kind: starling.Merged, From: slices.Sorted(slices.Values(from)), To: to.id, Size: to.size}}
	if renamed {
		events = append(events, to.renamed())
	}
	return append(events, to.pin()...), nil
}

// others returns clusters by their ids: at least one, each once, and not to.
func (s *State) others(to *group, ids []starling.ClusterID) ([]*group, error) {
	if len(ids) == 0 {
		return nil, fmt.Errorf("no cluster to become part of %v", to.id)
	}
	var found []*group
	for _, id := range ids {
		g, err := s.cluster(id)
		if err != nil {
			return nil, err
		}
		if g == to || slices.Contains(found, g) {
			return nil, fmt.Errorf("cluster %v is named twice", id)
		}
		found = append(found, g)
	}
	return found, nil
}

// dissolve makes a cluster part of another one.
func (s *State) dissolve(g, to *group) {
	for _, m := range g.micros {
		g.remove(m)
		to.add(m)
	}
	s.end(g)
	to.size += g.size // of micro-clusters that expired
}

// split makes a new cluster of micro-clusters of one, or of the smaller half where
// none are given.
func (s *State) split(g *group, ids []starling.MicroID) ([]starling.Event, error) {
	if len(g.micros) < 2 {
		return nil, fmt.Errorf("cluster %v is a single micro-cluster, which cannot be divided", g.id)
	}
	leaving, err := g.some(ids)
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		leaving = s.smallerHalf(g)
	}
	to := s.newGroup()
	to.faded = g.faded
	for _, m := range leaving {
		g.remove(m)
		to.add(m)
	}
	split := starling.Event{
		Kind: starling.Split, From: []starling.ClusterID{g.id}, To: to.id, Size: to.size, Micros: idsOf(leaving),
	}
	return slices.Concat([]starling.Event{split}, g.pin(), to.pin()), nil
}

// some returns micro-clusters of the cluster by their ids: each once, and not all.
func (g *group) some(ids []starling.MicroID) ([]*micro, error) {
	var found []*micro
	for _, id := range ids {
		m := g.micros[birch.ID(id)]
		if m == nil {
			return nil, fmt.Errorf("cluster %v has no micro-cluster %v", g.id, id)
		}
		if slices.Contains(found, m) {
			return nil, fmt.Errorf("micro-cluster %v is named twice", id)
		}
		found = append(found, m)
	}
	if len(found) == len(g.micros) {
		return nil, fmt.Errorf("all micro-clusters of cluster %v are to leave it; one must stay", g.id)
	}
	return found, nil
}

// smallerHalf returns the micro-clusters on one side of the last join of average
// link: the side with fewer documents or, of equal ones, that without the first.
func (s *State) smallerHalf(g *group) []*micro {
	var micros []*micro
	f := features{dim: s.config.Dim}
	for entry := range s.tree.Entries() {
		if m := s.micros[entry.ID]; m.group == g {
			micros = append(micros, m)
			f.add(entry.N, entry.Mean)
		}
	}
	a := newAgglomeration(linkage{cut: math.Inf(-1)}, f, new(room))
	for range len(micros) - 2 {
		a.step()
	}
	var halves [2][]*micro
	var sizes [2]int64
	for i, m := range micros {
		side := min(1, a.first(i)) // the first group is that of the first micro-cluster
		halves[side] = append(halves[side], m)
		sizes[side] += m.size
	}
	if sizes[0] < sizes[1] {
		return halves[0]
	}
	return halves[1]
}

// rename gives the cluster a name.
func (g *group) rename(name string) ([]starling.Event, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	if g.name == name {
		return nil, nil
	}
	g.name = strings.Clone(name)
	return []starling.Event{g.renamed()}, nil
}

func (g *group) renamed() starling.Event {
	return starling.Event{Kind: starling.Renamed, To: g.id, Size: g.size, Name: g.name}
}

func checkName(name string) error {
	switch {
	case len(name) > starling.MaxNameBytes:
		return fmt.Errorf("a name of %d bytes: at most %d are allowed", len(name), starling.MaxNameBytes)
	case !utf8.ValidString(name):
		return fmt.Errorf("the name %q is not valid UTF-8", name)
	case strings.ContainsFunc(name, unicode.IsControl):
		return fmt.Errorf("the name %q has control characters", name)
	}
	return nil
}

// inherit takes over the name of a cluster that ended, unless there is one, and
// says whether it did.
func (g *group) inherit(ended *group) bool {
	if g.name != "" || ended.name == "" {
		return false
	}
	g.name = ended.name
	return true
}

func (g *group) pin() []starling.Event {
	if g.pinned {
		return nil
	}
	g.pinned = true
	return []starling.Event{{Kind: starling.Pinned, To: g.id, Size: g.size}}
}

func (g *group) unpin() []starling.Event {
	if !g.pinned {
		return nil
	}
	g.pinned = false
	return []starling.Event{{Kind: starling.Unpinned, To: g.id, Size: g.size}}
}
