package cluster

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"starling"
	"starling/birch"
	"starling/vec"
)

// A Shard grows the micro-clusters of one of several parts of a stream. What it knows
// of them it reports, as cluster features, and since these can be added a [Merger]
// finds the clusters of the whole stream from the reports of all shards:
//
//	shard, err := cluster.NewShard(config, 3, 8) // the fourth of eight
//	micro, similarity, err := shard.Place(vector)
//	report := shard.Report()
//
// Like a [State] it has no clock and no input and output, and its memory is bounded.
type Shard struct {
	config Config
	// number is that of the shard, from 0, of so many shards.
	number, shards int
	tree           *birch.Tree
	documents      int64
	// first holds the vectors of the first documents until there are enough to
	// calibrate from.
	first [][]float32
	// unsaid holds what was placed and not reported, by micro-cluster.
	unsaid map[birch.ID]*Feature
	// reported is the number of documents when all of unsaid was reported last.
	reported int64
	// sampled is how many of the first vectors were reported.
	sampled int
	// fresh, joined and sample are what the next report says in any case:
	// micro-clusters that are new, those that were joined, and first vectors.
	fresh  []birch.ID
	joined []Joining
	sample [][]float32
}

// A Feature is what a report says of a micro-cluster: how many documents came to it
// since the report before, and the mean of their vectors.
type Feature struct {
	Micro starling.MicroID
	N     int64
	Mean  []float32
}

// A Joining says that the micro-cluster From became part of Into.
type Joining struct{ From, Into starling.MicroID }

// A Report is what a shard says to the merger. Reports add up in any order.
type Report struct {
	Features []Feature
	Joined   []Joining
	// Sample holds vectors of the first documents, to calibrate from.
	Sample [][]float32
}

// NewShard returns a shard, by its number from 0, of a stream that has not begun.
func NewShard(config Config, number, count int) (*Shard, error) {
	config, err := shardConfig(config)
	if err != nil {
		return nil, err
	}
	if number < 0 || number >= count {
		return nil, fmt.Errorf("clustering settings: shard %d of %d", number, count)
	}
	tree, err := config.newTree()
	if err != nil {
		return nil, fmt.Errorf("clustering settings: %w", err)
	}
	return &Shard{config: config, number: number, shards: count, tree: tree, unsaid: make(map[birch.ID]*Feature)}, nil
}

// shardConfig fills in the defaults of the settings of shards and their merger.
func shardConfig(config Config) (Config, error) {
	config = config.withDefaults()
	if err := config.validate(); err != nil {
		return config, fmt.Errorf("clustering settings: %w", err)
	}
	if config.HalfLife != 0 || config.HalfLifeTime != 0 {
		return config, errors.New("clustering settings: a half-life needs a single shard")
	}
	return config, nil
}

// Documents returns how many documents were placed.
func (s *Shard) Documents() int64 { return s.documents }

// Micros returns the number of micro-clusters.
func (s *Shard) Micros() int { return s.tree.Len() }

// Expect tells the shard the vectors to be placed next: see [State.Expect].
func (s *Shard) Expect(vectors [][]float32) { s.tree.Expect(vectors) }

// Place puts a document into a micro-cluster by its vector, and returns the cosine to
// its centroid. On an error the shard is as it was.
func (s *Shard) Place(vector []float32) (starling.MicroID, float32, error) {
	if err := s.tree.Check(vector); err != nil {
		return 0, 0, fmt.Errorf("clustering a document: %w", err)
	}
	s.documents++
	s.calibrate(vector)
	inserted, err := s.tree.Insert(vector)
	if err != nil {
		panic("cluster: " + err.Error()) // it was checked
	}
	s.followMerges(inserted.Merges)
	if inserted.Created {
		s.fresh = append(s.fresh, inserted.Entry)
	}
	s.keep(inserted.Entry, vector)
	return s.global(inserted.Entry), similarity(s.tree, inserted.Entry, vector), nil
}

// global returns the name of a micro-cluster among those of all shards.
func (s *Shard) global(id birch.ID) starling.MicroID {
	return starling.MicroID((uint64(id)-1)*uint64(s.shards) + uint64(s.number) + 1)
}

// keep keeps a document for a report.
func (s *Shard) keep(id birch.ID, vector []float32) {
	f := s.unsaid[id]
	if f == nil {
		f = &Feature{Micro: s.global(id), Mean: make([]float32, len(vector))}
		s.unsaid[id] = f
	}
	f.N++
	vec.AddScaled(f.Mean, vector, 1) // the sum, until it is reported
}

func (s *Shard) followMerges(merges []birch.Merge) {
	for _, m := range merges {
		s.joined = append(s.joined, Joining{From: s.global(m.From), Into: s.global(m.To)})
	}
}

// calibrate does as [State.calibrate], with the documents of this shard alone; and
// hands on its share of the vectors that the merger calibrates from.
func (s *Shard) calibrate(vector []float32) {
	if s.documents > calibrationDocuments {
		return
	}
	if share := (calibrationDocuments + s.shards - 1) / s.shards; s.sampled < share {
		s.sampled++
		s.sample = append(s.sample, slices.Clone(vector))
	}
	s.first = append(s.first, slices.Clone(vector))
	if s.documents < calibrationDocuments {
		return
	}
	found, err := Calibrate(s.first)
	if err != nil {
		panic("cluster: " + err.Error()) // there are enough
	}
	s.first = nil
	if s.config.Threshold != 0 {
		return
	}
	merges, err := s.tree.SetThreshold(found.within(s.config.Unrelated).Threshold())
	if err != nil {
		panic("cluster: " + err.Error()) // a calibration gives a threshold that fits
	}
	s.followMerges(merges)
}

const (
	// lag is what part of its documents a shard may keep unreported.
	lag = 64
	// reportEvery is for how many documents per micro-cluster one report of all of
	// them comes at most.
	reportEvery = 8
)

// Report returns what there is to say, and is called after each batch of documents.
// New micro-clusters are told of at once, because their documents wait for a cluster;
// the others when more documents are untold than a 64th of all, or at most eight for
// each micro-cluster: so what reports take does not grow with the stream's rate alone.
func (s *Shard) Report() Report {
	r := Report{Joined: s.joined, Sample: s.sample}
	if s.documents-s.reported >= min(max(1, s.documents/lag), int64(reportEvery*s.tree.Len())) {
		s.reported = s.documents
		for id := range s.unsaid {
			r.Features = append(r.Features, s.say(id))
		}
	} else {
		for _, id := range s.fresh {
			r.Features = append(r.Features, s.say(id))
		}
	}
	slices.SortFunc(r.Features, func(a, b Feature) int { return cmp.Compare(a.Micro, b.Micro) })
	s.fresh, s.joined, s.sample = nil, nil, nil
	return r
}

// IsEmpty says whether the report says nothing.
func (r Report) IsEmpty() bool { return len(r.Features)+len(r.Joined)+len(r.Sample) == 0 }

// say returns what is unsaid of a micro-cluster.
func (s *Shard) say(id birch.ID) Feature {
	f := s.unsaid[id]
	delete(s.unsaid, id)
	for i := range f.Mean {
		f.Mean[i] /= float32(f.N)
	}
	return *f
}

// similarity is the cosine of a vector and the centroid of an entry.
func similarity(tree *birch.Tree, id birch.ID, vector []float32) float32 {
	entry, ok := tree.Entry(id)
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
