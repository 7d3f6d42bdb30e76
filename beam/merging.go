package beam

import (
	"fmt"
	"reflect"
	"strconv"

	sdk "github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/state"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"starling/cluster"
)

func init() {
	sdk.RegisterDoFn(reflect.TypeFor[mergeFn]())
	register.Emitter1[Changes]()
}

// mergerKey is the one key of the merger.
const mergerKey = 0

// mergerKeeper keeps the merger.
func mergerKeeper(step string, config cluster.Config, shards int) keeper[*cluster.Merger] {
	return keeper[*cluster.Merger]{
		step:   step,
		fresh:  func() (*cluster.Merger, error) { return cluster.NewMerger(config, shards) },
		decode: cluster.DecodeMerger,
		replay: func(m *cluster.Merger, entry []byte) error {
			report, err := decodeReport(entry)
			if err != nil {
				return fmt.Errorf("reading the journal: %w", err)
			}
			_, err = m.Merge(report)
			return err
		},
	}
}

// mergeFn finds the clusters from the reports of all shards.
type mergeFn struct {
	Version           state.Value[[]byte]
	Journal, Snapshot state.Bag[[]byte]
	// Job tells the pipelines of one process apart.
	Job    string
	Config cluster.Config
	Shards int
}

func newMergeFn(job string, config cluster.Config, shards int) *mergeFn {
	return &mergeFn{
		Version: state.MakeValueState[[]byte]("version"), Journal: state.MakeBagState[[]byte]("journal"),
		Snapshot: state.MakeBagState[[]byte]("snapshot"), Job: job, Config: config, Shards: shards,
	}
}

// ProcessElement merges one report, and tells the tables of the shards where their
// micro-clusters are.
func (fn *mergeFn) ProcessElement(
	p state.Provider, key int64, report cluster.Report, emit func(int64, Piece), changed func(Changes),
) error {
	c := cells{&fn.Version, &fn.Journal, &fn.Snapshot}
	k := mergerKeeper("merging/"+fn.Job, fn.Config, fn.Shards)
	return k.apply(p, c, strconv.FormatInt(key, 10), func(m *cluster.Merger) ([]byte, error) {
		merged, err := m.Merge(report)
		if err != nil {
			return nil, err
		}
		moved := make([][]cluster.Moved, fn.Shards)
		for _, to := range merged.Moved {
			shard := int(uint64(to.Micro-1) % uint64(fn.Shards))
			moved[shard] = append(moved[shard], to)
		}
		for shard, some := range moved {
			if len(some) > 0 {
				emit(int64(shard), Piece{Number: merged.Number, Moved: some})
			}
		}
		if len(merged.Events) > 0 {
			changed(Changes{Merge: merged.Number, Events: merged.Events})
		}
		return encodeReport(report), nil
	})
}
