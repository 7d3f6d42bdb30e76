package beam

import (
	"context"
	"encoding/json"
	"reflect"
	"strconv"

	sdk "github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/state"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"starling"
	"starling/cluster"
)

func init() {
	sdk.RegisterDoFn(reflect.TypeFor[clusterFn]())
	register.Emitter1[starling.Update]()
	sdk.RegisterCoder(reflect.TypeFor[starling.Update](), encodeUpdate, decodeUpdate)
}

func encodeUpdate(u starling.Update) ([]byte, error) { return json.Marshal(u) }

func decodeUpdate(data []byte) (u starling.Update, err error) {
	err = json.Unmarshal(data, &u)
	return u, err
}

// clusterFn clusters the documents of the one shard.
type clusterFn struct {
	Version           state.Value[[]byte]
	Journal, Snapshot state.Bag[[]byte]
	// Job tells the pipelines of one process apart.
	Job    string
	Config cluster.Config
	// Remember is how many ids are known again at most.
	Remember int

	keeper                         keeper[*single]
	documents, duplicates, refused sdk.Counter
}

func newClusterFn(job string, config cluster.Config, remember int) *clusterFn {
	return &clusterFn{
		Version: state.MakeValueState[[]byte]("version"), Journal: state.MakeBagState[[]byte]("journal"),
		Snapshot: state.MakeBagState[[]byte]("snapshot"), Job: job, Config: config, Remember: remember,
	}
}

// Setup prepares the keeper.
func (fn *clusterFn) Setup() {
	fn.keeper = singleKeeper("clustering/"+fn.Job, fn.Config, fn.Remember)
	fn.documents, fn.duplicates, fn.refused = counterOf("documents"), counterOf("duplicates"), counterOf("dead_letters")
}

// ProcessElement clusters the documents of a batch.
func (fn *clusterFn) ProcessElement(
	ctx context.Context, p state.Provider, shard int64, b Batch, emit func(starling.Update), refuse func(DeadLetter),
) error {
	c := cells{&fn.Version, &fn.Journal, &fn.Snapshot}
	return fn.keeper.apply(p, c, strconv.FormatInt(shard, 10), func(s *single) ([]byte, error) {
		updates, duplicates := s.apply(b, func(d starling.Document, reason error) {
			fn.refused.Inc(ctx, 1)
			refuse(letter(d, reason))
		})
		for _, update := range updates {
			emit(update)
		}
		fn.documents.Inc(ctx, int64(len(updates)))
		fn.duplicates.Inc(ctx, duplicates)
		return journalEntry(b), nil
	})
}
