package beam

import (
	"context"
	"encoding/binary"
	"fmt"
	"reflect"
	"strconv"

	sdk "github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/state"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"starling"
	"starling/cluster"
)

func init() {
	sdk.RegisterDoFn(reflect.TypeFor[shardFn]())
	register.Emitter2[int64, Piece]()
	register.Emitter2[int64, cluster.Report]()
}

// A part is the machine of one of several shards: its micro-clusters, and the ids that
// came last.
type part struct {
	shard *cluster.Shard
	ids   *recent
}

// apply places the documents of a batch that are new, and returns them, what there is
// to report, and how many were not new.
func (p *part) apply(b Batch, refuse func(starling.Document, error)) (placed []Placed, report cluster.Report, duplicates int64) {
	p.shard.Expect(vectors(b))
	for _, e := range b.Documents {
		if !p.ids.add(e.ID) {
			duplicates++
			continue
		}
		micro, similarity, err := p.shard.Place(e.Vector)
		if err != nil {
			refuse(e.Document, err)
			continue
		}
		placed = append(placed, Placed{Document: e.Document, Seq: p.shard.Documents(), Micro: micro, Similarity: similarity})
	}
	return placed, p.shard.Report(), duplicates
}

// AppendBinary implements machine: the shard preceded by its length, then the ids.
func (p *part) AppendBinary(b []byte) ([]byte, error) {
	shard, err := p.shard.AppendBinary(nil)
	if err != nil {
		return nil, err
	}
	b = append(binary.AppendUvarint(b, uint64(len(shard))), shard...)
	return p.ids.appendBinary(b), nil
}

// partKeeper keeps the part of a shard.
func partKeeper(step string, config cluster.Config, number, shards, remember int) keeper[*part] {
	return keeper[*part]{
		step: step,
		fresh: func() (*part, error) {
			shard, err := cluster.NewShard(config, number, shards)
			return &part{shard: shard, ids: newRecent(remember)}, err
		},
		decode: func(snapshot []byte) (*part, error) {
			r := reader{rest: snapshot}
			shard, err := cluster.DecodeShard(r.bytes())
			if err != nil {
				return nil, err
			}
			p := &part{shard: shard, ids: r.recent(remember)}
			return p, r.end("snapshot")
		},
		replay: func(p *part, entry []byte) error {
			b, err := decodeBatch(entry)
			if err != nil {
				return fmt.Errorf("reading the journal: %w", err)
			}
			p.apply(b, func(starling.Document, error) {})
			return nil
		},
	}
}

// shardFn puts the documents of a shard into micro-clusters.
type shardFn struct {
	Version           state.Value[[]byte]
	Journal, Snapshot state.Bag[[]byte]
	// Job tells the pipelines of one process apart.
	Job    string
	Config cluster.Config
	Shards int
	// Remember is how many ids are known again at most.
	Remember int

	documents, duplicates, refused sdk.Counter
}

func newShardFn(job string, config cluster.Config, shards, remember int) *shardFn {
	return &shardFn{
		Version: state.MakeValueState[[]byte]("version"), Journal: state.MakeBagState[[]byte]("journal"),
		Snapshot: state.MakeBagState[[]byte]("snapshot"), Job: job, Config: config, Shards: shards, Remember: remember,
	}
}

// Setup prepares the counters.
func (fn *shardFn) Setup() {
	fn.documents, fn.duplicates, fn.refused = counterOf("documents"), counterOf("duplicates"), counterOf("dead_letters")
}

// ProcessElement places the documents of a batch.
func (fn *shardFn) ProcessElement(
	ctx context.Context, p state.Provider, shard int64, b Batch,
	emit func(int64, Piece), report func(int64, cluster.Report), refuse func(DeadLetter),
) error {
	k := partKeeper("clustering/"+fn.Job, fn.Config, int(shard), fn.Shards, fn.Remember)
	c := cells{&fn.Version, &fn.Journal, &fn.Snapshot}
	return k.apply(p, c, strconv.FormatInt(shard, 10), func(m *part) ([]byte, error) {
		placed, said, duplicates := m.apply(b, func(d starling.Document, reason error) {
			fn.refused.Inc(ctx, 1)
			refuse(letter(d, reason))
		})
		if len(placed) > 0 {
			emit(shard, Piece{Placed: placed})
		}
		if !said.IsEmpty() {
			report(mergerKey, said)
		}
		fn.documents.Inc(ctx, int64(len(placed)))
		fn.duplicates.Inc(ctx, duplicates)
		return journalEntry(b), nil
	})
}
