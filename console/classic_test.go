package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"starling"
	"starling/cluster"
	"starling/store"
)

func none() iter.Seq2[starling.Update, error] {
	return func(func(starling.Update, error) bool) {}
}

// The Python example prints the number of the update and then all labels with
// the texts and ids of all documents so far.
func TestClassicPrintsEverythingAfterEachMessage(t *testing.T) {
	var out bytes.Buffer
	printer, err := Classic(&out, none())
	if err != nil {
		t.Fatal(err)
	}
	err = printer.Print([]starling.Update{
		update(1, "a", "first", 1),
		update(2, "b", "second\nline", 2),
		update(3, "c", "third", 1, starling.Event{Kind: starling.Merged, From: []starling.ClusterID{2}, To: 1, Size: 2}),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `Update Number: 1:::

1: [{"id":"a","text":"first"}]




Update Number: 2:::

1: [{"id":"a","text":"first"}]
2: [{"id":"b","text":"second\nline"}]




Update Number: 3:::

1: [{"id":"a","text":"first"},{"id":"b","text":"second\nline"},{"id":"c","text":"third"}]




`
	if out.String() != want {
		t.Errorf("printed\n%s\nwant\n%s", out.String(), want)
	}
}

func TestClassicBeginsWithWhatTheStateHolds(t *testing.T) {
	var out bytes.Buffer
	earlier := func(yield func(starling.Update, error) bool) { yield(update(1, "a", "old", 4), nil) }
	printer, err := Classic(&out, earlier)
	if err != nil {
		t.Fatal(err)
	}
	if err := printer.Print([]starling.Update{update(2, "b", "new", 4)}); err != nil {
		t.Fatal(err)
	}
	if want := `4: [{"id":"a","text":"old"},{"id":"b","text":"new"}]`; !strings.Contains(out.String(), want) {
		t.Errorf("printed %s, want %s in it", out.String(), want)
	}
}

// A regrouping moves the documents of micro-clusters, those that the state held
// before among them.
func TestClassicFollowsRegroupings(t *testing.T) {
	var out bytes.Buffer
	earlier := func(yield func(starling.Update, error) bool) {
		_ = yield(update(1, "a", "first", 1), nil) && yield(update(2, "b", "second", 2), nil)
	}
	printer, err := Classic(&out, earlier)
	if err != nil {
		t.Fatal(err)
	}
	err = printer.Print([]starling.Update{
		update(3, "c", "third", 3, starling.Event{Kind: starling.Joined, Micros: []starling.MicroID{1}, Into: 2, To: 2}),
		update(4, "d", "fourth", 3, starling.Event{Kind: starling.Split, From: []starling.ClusterID{2}, Micros: []starling.MicroID{2}, To: 3}),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `Update Number: 3:::

2: [{"id":"a","text":"first"},{"id":"b","text":"second"}]
3: [{"id":"c","text":"third"}]




Update Number: 4:::

3: [{"id":"a","text":"first"},{"id":"b","text":"second"},{"id":"c","text":"third"},{"id":"d","text":"fourth"}]




`
	if out.String() != want {
		t.Errorf("printed\n%s\nwant\n%s", out.String(), want)
	}
}

// A printer of the classic form says of every stream what the clustering itself
// does: which clusters there are and how many documents each has, also when it
// begins in the middle of the stream.
func TestClassicAgreesWithTheClustering(t *testing.T) {
	happened := make(map[starling.EventKind]int)
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("stream ", seed), func(t *testing.T) { followStream(t, seed, happened) })
	}
	t.Log(happened)
	for _, kind := range []starling.EventKind{starling.Joined, starling.Merged, starling.Split} {
		if happened[kind] < 10 {
			t.Errorf("%d events say that something %s: too few for a test", happened[kind], kind)
		}
	}
}

// followStream clusters a stream, prints it from two places on, and counts events.
func followStream(t *testing.T, seed uint64, happened map[starling.EventKind]int) {
	const documents = 600
	random := rand.New(rand.NewPCG(seed, 0))
	state, err := cluster.New(cluster.Config{Dim: streamDim, Branching: 5, MaxMicros: 10 + random.IntN(40)})
	if err != nil {
		t.Fatal(err)
	}
	directions, middle := 5+random.IntN(streamDim-5), random.IntN(documents)
	var out bytes.Buffer
	var printer UpdatePrinter
	var records []store.Record
	for n := range documents {
		if n == 0 || n == middle {
			if printer, err = Classic(&out, kept(t, records)); err != nil {
				t.Fatal(err)
			}
		}
		vector := streamVector(random, directions)
		u, err := state.Apply(starling.Document{ID: fmt.Sprint(n), Text: "text"}, vector)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, store.Record{Update: u, Embedding: vector})
		for _, e := range u.Events {
			happened[e.Kind]++
		}
		out.Reset()
		if err := printer.Print([]starling.Update{u}); err != nil {
			t.Fatal(err)
		}
		if got, want := labelSizes(t, out.String()), clusterSizes(state); !maps.Equal(got, want) {
			t.Fatalf("after document %d the labels have the sizes %v, the clusters %v", u.Seq, got, want)
		}
	}
}

// kept returns the documents of a state that some records were committed to.
func kept(t *testing.T, records []store.Record) iter.Seq2[starling.Update, error] {
	st, err := store.Create(t.Context(), t.TempDir(), store.Identity{Model: "none", Dim: streamDim})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	if err := st.Commit(t.Context(), store.Batch{Records: records}); err != nil {
		t.Fatal(err)
	}
	return st.Members(t.Context())
}

const streamDim = 16

// streamVector returns a unit vector near one of some directions.
func streamVector(random *rand.Rand, directions int) []float32 {
	vector := make([]float32, streamDim)
	vector[random.IntN(directions)] = 1
	var norm float64
	for i := range vector {
		vector[i] += float32(0.25 * random.NormFloat64())
		norm += float64(vector[i]) * float64(vector[i])
	}
	for i := range vector {
		vector[i] /= float32(math.Sqrt(norm))
	}
	return vector
}

// labelSizes returns how many documents each label of one printed update has.
func labelSizes(t *testing.T, printed string) map[string]int {
	sizes := make(map[string]int)
	for line := range strings.Lines(printed) {
		label, list, ok := strings.Cut(line, ": [")
		if !ok {
			continue
		}
		var documents []json.RawMessage
		if err := json.Unmarshal([]byte("["+list), &documents); err != nil {
			t.Fatal(err)
		}
		sizes[label] = len(documents)
	}
	return sizes
}

func clusterSizes(state *cluster.State) map[string]int {
	sizes := make(map[string]int)
	for _, c := range state.Clusters(0) {
		sizes[c.ID.String()] = int(c.Size)
	}
	return sizes
}
