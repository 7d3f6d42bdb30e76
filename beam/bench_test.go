package beam

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	sdk "github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"starling"
	"starling/cluster"
)

func init() {
	sdk.RegisterDoFn(reflect.TypeFor[batchesFn]())
	register.Emitter2[int64, Batch]()
}

// batchesFn makes the batches of documents that a benchmark clusters: vectors around
// some directions.
type batchesFn struct{ Dim, Directions, BatchSize, Shards int }

func (fn *batchesFn) ProcessElement(number int, emit func(int64, Batch)) {
	random := rand.New(rand.NewPCG(uint64(number), 7))
	b := Batch{}
	for i := range fn.BatchSize {
		id := fmt.Sprint(number*fn.BatchSize + i)
		b.Documents = append(b.Documents, Embedded{
			Document: starling.Document{ID: id, Text: "a text that is as long as a short text usually is, number " + id},
			Vector:   fn.around(random, random.IntN(fn.Directions)),
		})
	}
	emit(int64(number%max(1, fn.Shards)), b)
}

// around returns a vector of length one near a direction.
func (fn *batchesFn) around(random *rand.Rand, direction int) []float32 {
	centre := rand.New(rand.NewPCG(uint64(direction), 11))
	vector, square := make([]float32, fn.Dim), 0.0
	for i := range vector {
		vector[i] = float32(centre.NormFloat64() + 0.5*random.NormFloat64())
		square += float64(vector[i]) * float64(vector[i])
	}
	for i := range vector {
		vector[i] /= float32(math.Sqrt(square))
	}
	return vector
}

// BenchmarkStatefulStep clusters documents in the stateful step of one key, on prism
// in this process, and compares the last tenth of them with
// the second. The first is left out: it holds the start of the pipeline.
func BenchmarkStatefulStep(b *testing.B) {
	for _, one := range []struct{ n, dim, directions int }{
		{100_000, 768, 300}, {40_000, 384, 300}, {40_000, 1536, 300}, {40_000, 768, 1500},
	} {
		b.Run(fmt.Sprintf("%dx%d,%dclusters", one.n, one.dim, one.directions), func(b *testing.B) {
			for b.Loop() {
				statefulStep(b, one.n, one.dim, one.directions)
			}
		})
	}
}

func statefulStep(b *testing.B, n, dim, directions int) {
	b.Helper()
	const batch = 64
	settings := ClusterSettings{
		Model: ModelSpec{Name: "builtin"}, From: "projects/p/subscriptions/none", BatchSize: batch,
		Clustering: cluster.Config{Dim: dim, Unrelated: cluster.Calibration{Deviation: 1 / math.Sqrt(float64(dim))}},
	}.withDefaults()
	var tenths []time.Time
	clustered := 0
	settings.OnUpdates = func(updates []starling.Update) error {
		for clustered += len(updates); clustered >= (len(tenths)+1)*n/10; {
			tenths = append(tenths, time.Now())
		}
		return nil
	}
	p, s := sdk.NewPipelineWithRoot()
	builder := builder{settings: settings, root: s, job: newJob()}
	numbers := make([]int, (n+batch-1)/batch)
	for i := range numbers {
		numbers[i] = i
	}
	// Made durable first, so that making them is not measured with the step.
	keyed := sdk.Reshuffle(s, sdk.ParDo(s, &batchesFn{Dim: dim, Directions: directions, BatchSize: batch}, sdk.CreateList(s, numbers)))
	builder.clusterWhole(keyed)
	builder.bury()
	if err := Run(context.Background(), p, RunSettings{Runner: Prism}); err != nil {
		b.Fatal(err)
	}
	if len(tenths) != 10 {
		b.Fatalf("%d documents were clustered", clustered)
	}
	b.ReportMetric(0.9*float64(n)/tenths[9].Sub(tenths[0]).Seconds(), "documents/s")
	b.ReportMetric(float64(n)/10/tenths[1].Sub(tenths[0]).Seconds(), "documents/s-second-tenth")
	b.ReportMetric(float64(n)/10/tenths[9].Sub(tenths[8]).Seconds(), "documents/s-last-tenth")
}

// BenchmarkShards clusters 40,000 documents of 768 dimensions in one shard and in
// several, from making the vectors to the updates, all on the cores of this machine: what
// more shards cost.
func BenchmarkShards(b *testing.B) {
	for _, shards := range []int{1, 2, 8} {
		b.Run(fmt.Sprint(shards), func(b *testing.B) {
			for b.Loop() {
				shardedStep(b, shards)
			}
		})
	}
}

func shardedStep(b *testing.B, shards int) {
	b.Helper()
	const n, dim, batch = 40_000, 768, 64
	settings := ClusterSettings{
		Model: ModelSpec{Name: "builtin"}, From: "projects/p/subscriptions/none", BatchSize: batch, Shards: shards,
		Clustering: cluster.Config{Dim: dim, Unrelated: cluster.Calibration{Deviation: 1 / math.Sqrt(dim)}},
	}.withDefaults()
	p, s := sdk.NewPipelineWithRoot()
	builder := builder{settings: settings, root: s, job: newJob()}
	numbers := make([]int, (n+batch-1)/batch)
	for i := range numbers {
		numbers[i] = i
	}
	messages := 0
	listeners.Store(builder.job, func([]byte) error {
		messages++
		return nil
	})
	keyed := sdk.Reshuffle(s, sdk.ParDo(s, &batchesFn{Dim: dim, Directions: 300, BatchSize: batch, Shards: shards}, sdk.CreateList(s, numbers)))
	formatted := builder.clusterWhole
	if shards > 1 {
		formatted = builder.clusterShards
	}
	sdk.ParDo0(s, &listenFn{Job: builder.job}, formatted(keyed))
	builder.bury()
	began := time.Now()
	if err := Run(context.Background(), p, RunSettings{Runner: Prism}); err != nil {
		b.Fatal(err)
	}
	if messages < n {
		b.Fatalf("%d updates came", messages)
	}
	b.ReportMetric(n/time.Since(began).Seconds(), "documents/s")
}
