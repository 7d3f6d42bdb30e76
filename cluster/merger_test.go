package cluster_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"starling"
	"starling/cluster"
	"starling/eval"
	"starling/lineage"
)

// A stream in shards, as the pipelines of package beam run it, in one goroutine.
type shardedStream struct {
	merger *cluster.Merger
	shards []*cluster.Shard
	// clusters and joined are what the merger told of micro-clusters.
	clusters map[starling.MicroID]starling.ClusterID
	joined   map[starling.MicroID]starling.MicroID
	micros   []starling.MicroID // of each document
	events   []starling.Event
}

type fataler interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

func newSharded(t fataler, config cluster.Config, count int) *shardedStream {
	t.Helper()
	s := &shardedStream{
		clusters: make(map[starling.MicroID]starling.ClusterID), joined: make(map[starling.MicroID]starling.MicroID),
		shards: make([]*cluster.Shard, count),
	}
	var err error
	if s.merger, err = cluster.NewMerger(config, count); err != nil {
		t.Fatal(err)
	}
	for i := range s.shards {
		if s.shards[i], err = cluster.NewShard(config, i, count); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// place places vectors in a shard and returns its report.
func (s *shardedStream) place(t fataler, shard int, vectors [][]float32) cluster.Report {
	t.Helper()
	for _, v := range vectors {
		micro, _, err := s.shards[shard].Place(v)
		if err != nil {
			t.Fatal(err)
		}
		s.micros = append(s.micros, micro)
	}
	return s.shards[shard].Report()
}

func (s *shardedStream) merge(t fataler, r cluster.Report) {
	t.Helper()
	merged, err := s.merger.Merge(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range merged.Events {
		if e.Kind == starling.Joined {
			s.joined[e.Micros[0]] = e.Into
		}
	}
	for _, m := range merged.Moved {
		s.clusters[m.Micro] = m.Cluster
	}
	s.events = append(s.events, merged.Events...)
}

// found returns the cluster of each document.
func (s *shardedStream) found(t fataler) []starling.ClusterID {
	t.Helper()
	all := make([]starling.ClusterID, len(s.micros))
	for i, m := range s.micros {
		if s.clusters[m] == 0 {
			t.Fatalf("document %d has no cluster", i)
		}
		for s.joined[m] != 0 {
			m = s.joined[m]
		}
		all[i] = s.clusters[m]
	}
	return all
}

// one clusters vectors with a State.
func one(t *testing.T, config cluster.Config, vectors [][]float32) []starling.ClusterID {
	t.Helper()
	state, err := cluster.New(config)
	if err != nil {
		t.Fatal(err)
	}
	follow := lineage.New()
	micros := make([]starling.MicroID, len(vectors))
	for i, v := range vectors {
		u, err := state.Apply(starling.Document{ID: fmt.Sprint(i), Text: "x"}, v)
		if err != nil {
			t.Fatal(err)
		}
		follow.Follow(u)
		micros[i] = u.Micro
	}
	all := make([]starling.ClusterID, len(vectors))
	for i, m := range micros {
		all[i] = follow.ClusterOf(m)
	}
	return all
}

// blobs returns n unit vectors around k directions, and which of them each is of.
func blobs(k, dim, n int) ([][]float32, []int) {
	r := rand.New(rand.NewPCG(1, 2))
	centres := make([][]float64, k)
	for i := range centres {
		centres[i] = make([]float64, dim)
		for j := range dim {
			centres[i][j] = r.NormFloat64()
		}
	}
	vectors, truth := make([][]float32, n), make([]int, n)
	for i := range vectors {
		truth[i] = r.IntN(k)
		vectors[i] = make([]float32, dim)
		square := 0.0
		for j := range dim {
			x := centres[truth[i]][j] + 0.7*r.NormFloat64()
			vectors[i][j] = float32(x)
			square += x * x
		}
		for j := range dim {
			vectors[i][j] /= float32(math.Sqrt(square))
		}
	}
	return vectors, truth
}

// cluster puts vectors into the shards in turn, so many at a time.
func (s *shardedStream) cluster(t fataler, vectors [][]float32, size int) {
	t.Helper()
	turn := 0
	for some := range slices.Chunk(vectors, size) {
		s.merge(t, s.place(t, turn%len(s.shards), some))
		turn++
	}
}

func TestEightShardsFindTheClustersOfOne(t *testing.T) {
	vectors, truth := blobs(50, 64, 20000)
	config := cluster.Config{Dim: 64, Unrelated: cluster.Calibration{Deviation: 0.125}}
	alone := one(t, config, vectors)
	s := newSharded(t, config, 8)
	s.cluster(t, vectors, 32)
	together := s.found(t)
	if ari := eval.Score(alone, together).ARI; ari < 0.95 {
		t.Errorf("adjusted Rand index of 8 shards and 1: %.3f", ari)
	}
	if a, b := eval.Score(truth, alone).NMI, eval.Score(truth, together).NMI; b < a-0.01 {
		t.Errorf("NMI of 8 shards %.3f, of one %.3f", b, a)
	}
	if most := s.merger.Micros(); most > 8*cluster.DefaultMaxMicros {
		t.Errorf("%d micro-clusters", most)
	}
}

func TestShardsThatAreFullJoinMicroClusters(t *testing.T) {
	vectors, _ := blobs(200, 16, 6000)
	config := cluster.Config{Dim: 16, MaxMicros: 20, Threshold: 0.5}
	s := newSharded(t, config, 4)
	s.cluster(t, vectors, 16)
	s.found(t)
	if len(s.joined) == 0 {
		t.Error("nothing was joined")
	}
	for i, shard := range s.shards {
		if shard.Micros() > 20 {
			t.Errorf("shard %d has %d micro-clusters", i, shard.Micros())
		}
	}
}

// What is told of micro-clusters is enough to know the clusters, whatever order
// reports come in, and sizes count what was reported.
func TestReportsAddUpInAnyOrder(t *testing.T) {
	vectors, _ := blobs(60, 8, 3000)
	rapid.Check(t, func(t *rapid.T) {
		config := cluster.Config{Dim: 8, MaxMicros: 16, Threshold: 0.6}
		s := newSharded(t, config, 3)
		var reports []cluster.Report
		for some := range slices.Chunk(vectors[:rapid.IntRange(1, 3000).Draw(t, "documents")], 25) {
			reports = append(reports, s.place(t, rapid.IntRange(0, 2).Draw(t, "shard"), some))
			for len(reports) > 3 {
				i := rapid.IntRange(0, len(reports)-1).Draw(t, "report")
				s.merge(t, reports[i])
				reports = slices.Delete(reports, i, i+1)
			}
		}
		for _, r := range reports {
			s.merge(t, r)
		}
		s.found(t)
		total := int64(0)
		for _, c := range s.merger.Sizes() {
			total += c.Size
		}
		if total != s.merger.Documents() {
			t.Fatalf("clusters of %d documents, %d were reported", total, s.merger.Documents())
		}
	})
}

func TestShardsAndMergersCarryOnAsTheyWere(t *testing.T) {
	vectors, _ := blobs(40, 8, 2000)
	config := cluster.Config{Dim: 8, MaxMicros: 30}
	straight, stopped := newSharded(t, config, 3), newSharded(t, config, 3)
	straight.cluster(t, vectors, 20)
	for some := range slices.Chunk(vectors, 300) { // a multiple of three batches
		stopped.cluster(t, some, 20)
		stopped.reload(t)
	}
	if !slices.Equal(straight.found(t), stopped.found(t)) {
		t.Error("documents are in other clusters")
	}
	if a, b := encoded(t, straight.merger), encoded(t, stopped.merger); !bytes.Equal(a, b) {
		t.Error("the mergers differ")
	}
}

func encoded(t *testing.T, m interface {
	AppendBinary([]byte) ([]byte, error)
}) []byte {
	t.Helper()
	b, err := m.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// reload encodes everything and decodes it.
func (s *shardedStream) reload(t *testing.T) {
	t.Helper()
	var err error
	for i, shard := range s.shards {
		if s.shards[i], err = cluster.DecodeShard(encoded(t, shard)); err != nil {
			t.Fatal(err)
		}
	}
	if s.merger, err = cluster.DecodeMerger(encoded(t, s.merger)); err != nil {
		t.Fatal(err)
	}
}

func TestDamagedShardsAndMergersAreErrors(t *testing.T) {
	vectors, _ := blobs(10, 4, 300)
	s := newSharded(t, cluster.Config{Dim: 4}, 2)
	s.cluster(t, vectors, 10)
	shard, merger := encoded(t, s.shards[0]), encoded(t, s.merger)
	for i := range shard {
		damaged := slices.Clone(shard)
		damaged[i] ^= 0x20
		if _, err := cluster.DecodeShard(damaged); err == nil {
			t.Fatalf("a shard with byte %d changed is decoded", i)
		}
	}
	for i := range merger {
		if _, err := cluster.DecodeMerger(merger[:i]); err == nil {
			t.Fatalf("a merger cut to %d bytes is decoded", i)
		}
	}
}

func FuzzDecodeMerger(f *testing.F) {
	vectors, _ := blobs(10, 4, 100)
	s := newSharded(f, cluster.Config{Dim: 4}, 2)
	s.cluster(f, vectors, 10)
	for _, m := range []interface {
		AppendBinary([]byte) ([]byte, error)
	}{s.merger, s.shards[0]} {
		b, err := m.AppendBinary(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b[:len(b)-4])
	}
	f.Fuzz(func(_ *testing.T, body []byte) {
		b := cluster.WithChecksum(body)
		if m, err := cluster.DecodeMerger(b); err == nil {
			_, _ = m.AppendBinary(nil)
		}
		if s, err := cluster.DecodeShard(b); err == nil {
			_ = s.Report()
		}
	})
}
