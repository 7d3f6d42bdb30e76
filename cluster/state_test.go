package cluster

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"starling"
)

// stream makes n documents about a few topics: unit vectors around random
// centres, and texts that share the topic's words.
func stream(seed uint64, n, topics, dim int) ([]starling.Document, [][]float32) {
	random := rand.New(rand.NewPCG(seed, 7))
	centres := make([][]float32, topics)
	for i := range centres {
		centres[i] = noisy(random, make([]float32, dim), 1)
	}
	documents := make([]starling.Document, n)
	vectors := make([][]float32, n)
	for i := range documents {
		topic := random.IntN(topics)
		documents[i] = starling.Document{
			ID:   fmt.Sprintf("d%d", i),
			Text: fmt.Sprintf("topic%d says word%d", topic, random.IntN(50)),
		}
		vectors[i] = noisy(random, centres[topic], 0.8)
	}
	return documents, vectors
}

// noisy returns centre plus noise of the length given, as a unit vector.
func noisy(random *rand.Rand, centre []float32, noise float64) []float32 {
	vector := make([]float32, len(centre))
	var norm float64
	for i := range vector {
		v := float64(centre[i]) + noise*random.NormFloat64()/math.Sqrt(float64(len(centre)))
		vector[i] = float32(v)
		norm += v * v
	}
	for i := range vector {
		vector[i] /= float32(math.Sqrt(norm))
	}
	return vector
}

func newState(t rapid.TB, config Config) *State {
	t.Helper()
	s, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func apply(t testing.TB, s *State, documents []starling.Document, vectors [][]float32) []starling.Update {
	t.Helper()
	updates := make([]starling.Update, len(documents))
	for i, d := range documents {
		var err error
		if updates[i], err = s.Apply(d, vectors[i]); err != nil {
			t.Fatal(err)
		}
	}
	return updates
}

func encode(t rapid.TB, s *State) []byte {
	t.Helper()
	b, err := s.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTopicsBecomeClusters(t *testing.T) {
	documents, vectors := stream(1, 400, 5, 64)
	s := newState(t, Config{Dim: 64, Threshold: 0.8, Unrelated: Calibration{Mean: 0.1, Deviation: 0.12}})
	updates := apply(t, s, documents, vectors)
	clusters := s.Clusters(0)
	if len(clusters) != 5 {
		t.Fatalf("%d clusters for 5 topics", len(clusters))
	}
	topicOf := make(map[starling.ClusterID]string)
	for i, u := range updates {
		topic := strings.Fields(documents[i].Text)[0]
		if was, ok := topicOf[u.Cluster]; ok && was != topic {
			t.Fatalf("document %d about %s in the cluster of %s", i, topic, was)
		}
		topicOf[u.Cluster] = topic
	}
	for _, c := range clusters {
		if c.Terms[0] != topicOf[c.ID] {
			t.Errorf("cluster %v about %s has the terms %v", c.ID, topicOf[c.ID], c.Terms)
		}
		if !strings.HasPrefix(c.Text, topicOf[c.ID]+" ") {
			t.Errorf("cluster %v about %s is represented by %q", c.ID, topicOf[c.ID], c.Text)
		}
	}
}

func TestUpdateSaysWhatHappened(t *testing.T) {
	s := newState(t, Config{Dim: 2, Threshold: 0.5})
	x := []float32{1, 0}
	first, err := s.Apply(starling.Document{ID: "a", Text: "one"}, x)
	if err != nil {
		t.Fatal(err)
	}
	if first.Seq != 1 || first.Cluster != 1 || first.Similarity != 1 || len(first.Events) != 1 || first.Events[0].Kind != starling.Created {
		t.Errorf("the first update is %+v", first)
	}
	for i := 2; i <= 5; i++ {
		u, err := s.Apply(starling.Document{ID: fmt.Sprint(i), Text: "one"}, x)
		if err != nil {
			t.Fatal(err)
		}
		grew := len(u.Events) == 1 && u.Events[0].Kind == starling.Grew && u.Events[0].Size == 5
		if u.Cluster != 1 || grew != (i == 5) {
			t.Errorf("update %d is %+v", i, u)
		}
	}
	other, err := s.Apply(starling.Document{ID: "b", Text: "two"}, []float32{0, 1})
	if err != nil || other.Cluster != 2 {
		t.Errorf("a far document went to cluster %v, error %v", other.Cluster, err)
	}
}

// Whatever the stream and however small the bound, ids are permanent, sizes add
// up, and following the events leads every document to the cluster that holds it
// now.
func TestEventsExplainEveryChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 600).Draw(t, "documents")
		documents, vectors := stream(rapid.Uint64().Draw(t, "seed"), n, rapid.IntRange(1, 40).Draw(t, "topics"), 8)
		s := newState(t, Config{Dim: 8, Threshold: rapid.Float64Range(0, 1).Draw(t, "threshold"), Branching: 4,
			MaxMicros: rapid.IntRange(2, 60).Draw(t, "bound"), HalfLife: halfLives.Draw(t, "half-life")})
		f := newFollower()
		for i, d := range documents {
			drawChanges(t, s, f)
			u, err := s.Apply(d, vectors[i])
			if err != nil {
				t.Fatal(err)
			}
			f.follow(t, u, vectors[i])
			if s.Micros() > s.Config().MaxMicros || s.Len() > s.Micros() {
				t.Fatalf("%d clusters of %d micro-clusters, the bound is %d", s.Len(), s.Micros(), s.Config().MaxMicros)
			}
		}
		f.compare(t, s)
	})
}

// halfLives are numbers of documents; most documents expire with the shortest.
var halfLives = rapid.SampledFrom([]int64{0, 0, 20, 100})

// However a stream is cut into batches, and whatever is refused or left out of
// them, the updates and the state are those of documents that come one by one.
func TestExpectingABatchChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 600).Draw(t, "documents")
		documents, vectors := stream(rapid.Uint64().Draw(t, "seed"), n, 30, 8)
		config := Config{Dim: 8, Threshold: rapid.SampledFrom([]float64{0, 0.5}).Draw(t, "threshold"), Branching: 3,
			MaxMicros: rapid.IntRange(2, 60).Draw(t, "bound"), HalfLife: halfLives.Draw(t, "half-life")}
		one, many := newState(t, config), newState(t, config)
		f := newFollower()
		cut, bad := rapid.IntRange(1, 80).Draw(t, "batch"), rapid.IntRange(0, 2*n).Draw(t, "bad")
		if bad < n {
			vectors[bad] = make([]float32, 8)
		}
		for i, d := range documents {
			if i%cut == 0 {
				many.Expect(vectors[i:min(i+cut, n)])
			}
			if rapid.IntRange(0, 9).Draw(t, "left out") == 0 {
				continue
			}
			remake(t, many, drawChanges(t, one, f))
			want, wantErr := one.Apply(d, vectors[i])
			got, err := many.Apply(d, vectors[i])
			if fmt.Sprint(got, err) != fmt.Sprint(want, wantErr) || (err != nil) != (i == bad) {
				t.Fatalf("document %d gave %v, %v instead of %v, %v", i, got, err, want, wantErr)
			}
			if err == nil {
				f.follow(t, got, vectors[i])
			}
		}
		if !bytes.Equal(encode(t, one), encode(t, many)) {
			t.Fatal("the states differ")
		}
	})
}

// A state brought back from any point goes on as the one that never stopped.
func TestSnapshotAnywhereChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 600).Draw(t, "documents")
		cut := rapid.IntRange(0, n).Draw(t, "cut")
		documents, vectors := stream(rapid.Uint64().Draw(t, "seed"), n, 20, 8)
		config := Config{Dim: 8, Threshold: rapid.SampledFrom([]float64{0, 0.6}).Draw(t, "threshold"), Branching: 3,
			MaxMicros: rapid.IntRange(2, 50).Draw(t, "bound"), HalfLife: halfLives.Draw(t, "half-life")}
		live, err := New(config)
		if err != nil {
			t.Fatal(err)
		}
		back := live
		f := newFollower()
		for i, d := range documents {
			changes := drawChanges(t, live, f)
			if i == cut {
				b, err := live.AppendBinary(nil)
				if err != nil {
					t.Fatal(err)
				}
				if back, err = Decode(b); err != nil {
					t.Fatal(err)
				}
			}
			a, err := live.Apply(d, vectors[i])
			if err != nil {
				t.Fatal(err)
			}
			f.follow(t, a, vectors[i])
			if back == live {
				continue
			}
			if i > cut { // else they are in the snapshot
				remake(t, back, changes)
			}
			b, err := back.Apply(d, vectors[i])
			if err != nil || fmt.Sprint(a) != fmt.Sprint(b) {
				t.Fatalf("after the snapshot document %d gave %v, %v instead of %v", i, b, err, a)
			}
		}
		a, errA := live.AppendBinary(nil)
		b, errB := back.AppendBinary(nil)
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Fatal("the states differ")
		}
	})
}

func TestAssignLearnsNothing(t *testing.T) {
	documents, vectors := stream(3, 200, 4, 32)
	s := newState(t, Config{Dim: 32, Threshold: 0.8, Unrelated: Calibration{Mean: 0.3, Deviation: 0.1}})
	updates := apply(t, s, documents, vectors)
	before := encode(t, s)
	matches, err := s.Assign(vectors[10], 2)
	if err != nil {
		t.Fatal(err)
	}
	if len(matches) != 2 || matches[0].ID != updates[10].Cluster || !matches[0].Joins {
		t.Errorf("document 10 of cluster %v matches %+v", updates[10].Cluster, matches)
	}
	if matches[1].ID == matches[0].ID || matches[1].Similarity > matches[0].Similarity {
		t.Errorf("next best is %+v", matches[1])
	}
	far := slices.Clone(vectors[10])
	for i := range far {
		far[i] = -far[i]
	}
	if matches, err = s.Assign(far, 1); err != nil || matches[0].Joins {
		t.Errorf("a far vector matches %+v, error %v", matches, err)
	}
	if !bytes.Equal(before, encode(t, s)) {
		t.Error("looking up changed the state")
	}
}

func TestBadVectorLeavesTheStateAsItWas(t *testing.T) {
	s := newState(t, Config{Dim: 3, Threshold: 0.7})
	apply(t, s, []starling.Document{{ID: "a", Text: "first"}}, [][]float32{{1, 0, 0}})
	before := encode(t, s)
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for name, vector := range map[string][]float32{
		"wrong length": {1, 0}, "NaN": {nan, 0, 0}, "infinite": {0, inf, 0}, "zero": {0, 0, 0},
	} {
		_, err := s.Apply(starling.Document{ID: "bad-" + name, Text: "x"}, vector)
		if err == nil || !strings.Contains(err.Error(), "bad-"+name) {
			t.Errorf("%s vector: error %v", name, err)
		}
		if !bytes.Equal(before, encode(t, s)) {
			t.Fatalf("%s vector changed the state", name)
		}
	}
}

func TestNewRefusesBadSettings(t *testing.T) {
	for _, config := range []Config{
		{}, {Dim: 4, Unrelated: Calibration{Mean: 1, Deviation: 0.1}}, {Dim: 4, Unrelated: Calibration{Mean: 0.1}}, {Dim: 4, Threshold: -1}, {Dim: 4, Threshold: 1.5}, {Dim: 4, Threshold: math.NaN()},
		{Dim: 4, Threshold: 0.5, Branching: 1}, {Dim: 4, Threshold: 0.5, MaxMicros: 1}, {Dim: -1, Threshold: 0.5},
	} {
		if _, err := New(config); err == nil {
			t.Errorf("%+v was accepted", config)
		}
	}
}

func TestDecodeFindsDamage(t *testing.T) {
	documents, vectors := stream(5, 60, 6, 8)
	s := newState(t, Config{Dim: 8, Threshold: 0.7})
	apply(t, s, documents, vectors)
	mustEdit(t, s, starling.Edit{Kind: starling.EditRename, Cluster: 1, Name: "a name"})
	mustEdit(t, s, starling.Edit{Kind: starling.EditPin, Cluster: 1})
	whole := encode(t, s)
	if _, err := Decode(whole); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(whole); i += 97 {
		flipped := slices.Clone(whole)
		flipped[i] ^= 0x10
		if _, err := Decode(flipped); err == nil {
			t.Fatalf("a flipped bit in byte %d went unnoticed", i)
		}
		if _, err := Decode(whole[:i]); err == nil {
			t.Fatalf("%d bytes of %d were taken for the whole", i, len(whole))
		}
	}
}

func FuzzDecode(f *testing.F) {
	documents, vectors := stream(5, 30, 6, 4)
	s := newState(f, Config{Dim: 4, Threshold: 0.7})
	apply(f, s, documents, vectors)
	f.Add(encode(f, s))
	if _, err := s.Edit(starling.Edit{Kind: starling.EditRename, Cluster: 1, Name: "a name"}); err != nil {
		f.Fatal(err)
	}
	f.Add(encode(f, s))
	f.Fuzz(func(_ *testing.T, b []byte) {
		if s, err := Decode(b); err == nil {
			s.Clusters(0)
		}
	})
}
