package beam

import (
	"context"
	"hash/fnv"
	"reflect"
	"slices"

	sdk "github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
)

func init() {
	sdk.RegisterDoFn(reflect.TypeFor[keyFn]())
	register.Emitter3[sdk.EventTime, int64, Batch]()
}

// keyFn gives documents the number of their shard, which follows from the id, so that
// one that comes twice comes to the same. The documents of a shard go on together, as
// many as the bundle has: what a stateful step does for each element costs it the
// same for many documents as for one.
type keyFn struct {
	Shards int
	// BatchSize is how many documents go on together.
	BatchSize int
	waiting   map[int64][]Embedded
}

// StartBundle forgets what a bundle that failed left behind.
func (fn *keyFn) StartBundle(func(sdk.EventTime, int64, Batch)) {
	fn.waiting = make(map[int64][]Embedded)
}

// ProcessElement takes a document.
func (fn *keyFn) ProcessElement(_ context.Context, e Embedded, emit func(sdk.EventTime, int64, Batch)) {
	shard := shardOf(e.ID, fn.Shards)
	fn.waiting[shard] = append(fn.waiting[shard], e)
	if len(fn.waiting[shard]) == fn.BatchSize {
		fn.flush(shard, emit)
	}
}

// FinishBundle passes on what is left of the bundle.
func (fn *keyFn) FinishBundle(_ context.Context, emit func(sdk.EventTime, int64, Batch)) {
	for shard := range int64(fn.Shards) {
		fn.flush(shard, emit)
	}
}

func (fn *keyFn) flush(shard int64, emit func(sdk.EventTime, int64, Batch)) {
	documents := fn.waiting[shard]
	if len(documents) == 0 {
		return
	}
	delete(fn.waiting, shard)
	earliest := slices.MinFunc(documents, func(a, b Embedded) int { return a.Time.Compare(b.Time) })
	emit(eventTime(earliest.Document), shard, Batch{Documents: documents})
}

// shardOf returns the shard of a document.
func shardOf(id string, shards int) int64 {
	h := fnv.New64a()
	h.Write([]byte(id))
	return int64(mix(h.Sum64()) % uint64(shards))
}

// mix spreads what differs in a few bits over all, which FNV alone does not for ids
// that end in a counter (the finaliser of MurmurHash3).
func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
