package cluster

import (
	"errors"
	"fmt"
	"slices"

	"starling"
	"starling/birch"
	"starling/vec"
)

// A Merger finds the clusters of a stream whose micro-clusters grow in several
// shards:
//
//	merger, err := cluster.NewMerger(config, 8)
//	merged, err := merger.Merge(report)
//
// It is to the shards what the macro layer of a [State] is to the tree. The result
// depends on the order of the reports; any order will do.
type Merger struct {
	// shards is how many there are.
	shards int
	// clusters is what a State has beside its tree.
	clusters *State
	// features holds those of the micro-clusters of all shards, in the order in which
	// they were first heard of.
	features []*feature
	byMicro  map[birch.ID]*feature
	// means holds the means of the clusters' documents, up to rounding. They are found
	// anew from the features whenever the clusters are.
	means map[*group][]float32
	// joined says what the micro-clusters that ended became part of.
	joined map[birch.ID]birch.ID
	// sample gathers vectors until there are enough to calibrate from, and calibrated
	// says that there were.
	sample     [][]float32
	calibrated bool
	// number counts the reports.
	number int64
}

// A feature is the cluster feature of a micro-cluster of a shard. The sum of squares
// follows from it, because all vectors have length one.
type feature struct {
	micro *micro
	mean  []float32
	// told is the cluster that was last given out for it.
	told starling.ClusterID
}

// A Merged is what a report changed.
type Merged struct {
	// Number counts the reports: what has a higher one is later.
	Number int64
	// Events come in the order in which they happened.
	Events []starling.Event
	// Moved says in which clusters the micro-clusters are that are new or are in
	// another one than before.
	Moved []Moved
}

// A Moved says that the documents of a micro-cluster are in a cluster from now on.
type Moved struct {
	Micro   starling.MicroID
	Cluster starling.ClusterID
}

// NewMerger returns the merger of a number of shards. The settings are theirs.
func NewMerger(config Config, count int) (*Merger, error) {
	config, err := shardConfig(config)
	if err != nil {
		return nil, err
	}
	if count < 1 {
		return nil, fmt.Errorf("clustering settings: %d shards", count)
	}
	return &Merger{
		shards: count,
		clusters: &State{
			config: config, next: after(0, 0), unrelated: config.Unrelated,
			micros: make(map[birch.ID]*micro), common: new(termSketch),
		},
		byMicro: make(map[birch.ID]*feature),
		means:   make(map[*group][]float32),
		joined:  make(map[birch.ID]birch.ID),
	}, nil
}

// Documents returns how many documents were reported.
func (m *Merger) Documents() int64 { return m.clusters.documents }

// Len returns the number of clusters.
func (m *Merger) Len() int { return len(m.clusters.groups) }

// Micros returns the number of micro-clusters.
func (m *Merger) Micros() int { return len(m.features) }

// Sizes returns the clusters with their numbers of documents, by rising id. Both have
// no terms and no texts: these stay with the documents.
func (m *Merger) Sizes() []Summary {
	all := make([]Summary, len(m.clusters.groups))
	for i, g := range m.clusters.groups {
		all[i] = Summary{ID: g.id, Size: g.size}
	}
	return all
}

// Merge adds a report. On an error the merger is as it was.
func (m *Merger) Merge(r Report) (Merged, error) {
	if err := m.check(r); err != nil {
		return Merged{}, fmt.Errorf("merging a report: %w", err)
	}
	m.number++
	var events []starling.Event
	before := m.clusters.documents
	for _, f := range r.Features {
		events = append(events, m.add(f)...)
	}
	for _, j := range r.Joined {
		events = append(events, m.join(birch.ID(j.From), birch.ID(j.Into))...)
	}
	calibrated := m.calibrate(r.Sample)
	regrouped := calibrated || m.clusters.documents > before && m.clusters.documents >= m.clusters.next
	if regrouped {
		events = append(events, m.regroup()...)
	}
	return Merged{Number: m.number, Events: events, Moved: m.tell(r, regrouped)}, nil
}

// check refuses what no shard with these settings reports.
func (m *Merger) check(r Report) error {
	for _, f := range r.Features {
		if f.Micro == 0 || f.N < 1 || len(f.Mean) != m.clusters.config.Dim {
			return fmt.Errorf("a feature of micro-cluster %d with %d documents and %d dimensions", f.Micro, f.N, len(f.Mean))
		}
		if square := vec.Dot(f.Mean, f.Mean); !(square > 0 && square < 1.01) {
			return fmt.Errorf("micro-cluster %d has a mean that unit vectors do not have", f.Micro)
		}
	}
	for _, j := range r.Joined {
		if j.From == j.Into || j.From == 0 || j.Into == 0 {
			return fmt.Errorf("micro-cluster %d became part of %d", j.From, j.Into)
		}
	}
	for _, vector := range r.Sample {
		if len(vector) != m.clusters.config.Dim {
			return errors.New("a vector of another length")
		}
	}
	return nil
}

// now returns the micro-cluster that one is part of now.
func (m *Merger) now(id birch.ID) birch.ID {
	for {
		into, ok := m.joined[id]
		if !ok {
			return id
		}
		id = into
	}
}

// add adds the documents of a feature to its micro-cluster, or begins that.
func (m *Merger) add(f Feature) []starling.Event {
	s := m.clusters
	s.documents += f.N
	id := m.now(birch.ID(f.Micro))
	known := m.byMicro[id]
	if known == nil {
		return m.begin(id, f)
	}
	g := known.micro.group
	was := g.size
	known.micro.size += f.N
	g.size += f.N
	blend(known.mean, f.Mean, f.N, known.micro.size)
	blend(m.means[g], f.Mean, f.N, g.size)
	return grown(g, was)
}

// blend makes a mean the one of all of size documents, n of which are new and have a
// mean of their own.
func blend(mean, added []float32, n, size int64) {
	share := float32(float64(n) / float64(size))
	for i, x := range added {
		mean[i] += share * (x - mean[i])
	}
}

// begin begins a micro-cluster, in the cluster it belongs to or a new one.
func (m *Merger) begin(id birch.ID, f Feature) []starling.Event {
	s := m.clusters
	known := &feature{micro: &micro{id: id, size: f.N}, mean: slices.Clone(f.Mean)}
	m.features = append(m.features, known)
	m.byMicro[id], s.micros[id] = known, known.micro
	g := m.nearest(f.Mean)
	if g == nil {
		g = s.newGroup()
		m.means[g] = make([]float32, len(f.Mean))
	}
	was := g.size
	g.add(known.micro)
	blend(m.means[g], f.Mean, f.N, g.size)
	if was == 0 {
		return []starling.Event{{Kind: starling.Created, To: g.id, Size: g.size}}
	}
	return grown(g, was)
}

// nearest returns the cluster that a single document with a vector belongs to, or
// nil if there is none.
func (m *Merger) nearest(vector []float32) *group {
	s := m.clusters
	sums, weights := make([]float64, len(s.groups)), make([]float64, len(s.groups))
	for i, g := range s.groups {
		sums[i], weights[i] = float64(vec.Dot(m.means[g], vector)), 1
	}
	n := nearness{linkage: s.unrelated.linkage().plain(), groups: s.groups}
	if n.look(sums, weights, 0); len(n.open) == 0 {
		return nil
	}
	return n.open[0].group
}

// grown says that a cluster passed one of the sizes that are told.
func grown(g *group, was int64) []starling.Event {
	for size := g.size; size > was; {
		if isMilestone(size) {
			return []starling.Event{{Kind: starling.Grew, To: g.id, Size: size}}
		}
		size = milestoneBelow(size)
	}
	return nil
}

// milestoneBelow returns the greatest of the sizes that are told below one.
func milestoneBelow(size int64) int64 {
	below := int64(0)
	for power := int64(1); power < size; power *= 10 {
		for _, lead := range []int64{1, 2, 5} {
			if m := lead * power; m >= 5 && m < size {
				below = m
			}
		}
	}
	return below
}

// join makes a micro-cluster part of another one. Either may not have been heard of
// yet: what is then reported of it comes to where it belongs.
func (m *Merger) join(from, into birch.ID) []starling.Event {
	from, into = m.now(from), m.now(into)
	if from == into {
		return nil
	}
	gone, stays := m.byMicro[from], m.byMicro[into]
	if gone != nil && stays == nil {
		m.joined[into] = from
		return nil
	}
	m.joined[from] = into
	if gone == nil {
		return nil
	}
	delete(m.byMicro, from)
	m.features = slices.DeleteFunc(m.features, func(f *feature) bool { return f == gone })
	blend(stays.mean, gone.mean, gone.micro.size, gone.micro.size+stays.micro.size)
	return m.clusters.join(gone.micro, stays.micro)
}

// calibrate finds how alike unrelated texts are, once there are vectors enough.
func (m *Merger) calibrate(sample [][]float32) bool {
	if m.calibrated {
		return false
	}
	m.sample = append(m.sample, sample...)
	if len(m.sample) < calibrationDocuments {
		return false
	}
	m.sample = m.sample[:calibrationDocuments]
	found, err := Calibrate(m.sample)
	if err != nil {
		panic("cluster: " + err.Error()) // there are enough
	}
	m.clusters.unrelated = found.within(m.clusters.config.Unrelated)
	m.sample, m.calibrated = nil, true
	return true
}

// tell returns what is to be told of where micro-clusters are.
func (m *Merger) tell(r Report, regrouped bool) []Moved {
	var moved []Moved
	say := func(id birch.ID, f *feature) {
		if f.told != f.micro.group.id || id != f.micro.id {
			moved = append(moved, Moved{Micro: starling.MicroID(id), Cluster: f.micro.group.id})
		}
	}
	for _, reported := range r.Features {
		if id := birch.ID(reported.Micro); m.now(id) != id {
			say(id, m.byMicro[m.now(id)]) // it was joined before its documents had a cluster
		}
	}
	if regrouped || len(r.Joined) > 0 {
		for _, f := range m.features {
			say(f.micro.id, f)
			f.told = f.micro.group.id
		}
		return moved
	}
	for _, reported := range r.Features {
		f := m.byMicro[m.now(birch.ID(reported.Micro))]
		say(f.micro.id, f)
		f.told = f.micro.group.id
	}
	return moved
}
