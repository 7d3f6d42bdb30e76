package beam

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"starling"
	"starling/cluster"
	"starling/dataset"
)

// ClusterSettings say what the clustering pipeline does.
type ClusterSettings struct {
	// From is the subscription: projects/P/subscriptions/S of Pub/Sub, or
	// nats://HOST:PORT/STREAM of JetStream.
	From string
	// Native reads and writes Pub/Sub as Dataflow itself does, which no other runner
	// can.
	Native bool
	// To is the topic that updates are published to: projects/P/topics/T, or a URL
	// that package broker knows; empty for none.
	To string
	// DeadLetters is the topic for messages that cannot be clustered; empty for none.
	DeadLetters string
	// Model embeds.
	Model ModelSpec
	// Clustering is how; its Dim and Unrelated are those of the model: see
	// [ClusterSettings.Resolve].
	Clustering cluster.Config
	// Shards is how many trees grow in parallel; 1 by default.
	Shards int
	// Remember is how many ids are known again, over all shards; 1,000,000 by default.
	Remember int
	// BatchSize is how many documents are embedded, and then clustered, together; 64
	// by default.
	BatchSize int
	// Readers is how many readers pull side by side; 1 by default. A native read
	// decides by itself.
	Readers int
	// AckDelay is how long a message is held after its bundle before it is
	// acknowledged. A runner that goes back to a checkpoint of before, as Flink does,
	// needs it to be longer than the time between two checkpoints.
	AckDelay time.Duration
	// UntilIdle, unless zero, ends the pipeline when nothing came for so long.
	UntilIdle time.Duration
	// OnUpdates is called with the updates in the order of the stream, one call at a
	// time. It needs workers in this process, and one shard.
	OnUpdates func([]starling.Update) error
	// OnMessage is called with the body of each message that goes, or would go, to
	// the topic To, in no order. It needs workers in this process.
	OnMessage func(body []byte) error
}

func (s ClusterSettings) withDefaults() ClusterSettings {
	s.Shards = cmp.Or(s.Shards, 1)
	s.Remember = cmp.Or(s.Remember, 1_000_000)
	s.BatchSize = cmp.Or(s.BatchSize, 64)
	s.Readers = cmp.Or(s.Readers, 1)
	return s
}

const (
	mostShards    = 1 << 10
	mostBatchSize = 1 << 12
	mostReaders   = 1 << 10
)

func (s ClusterSettings) validate() error {
	isPubSub := subscriptionPath.MatchString(s.From)
	switch {
	case !isPubSub && !isJetStream(s.From):
		return fmt.Errorf("source %q: want projects/PROJECT/subscriptions/SUBSCRIPTION or nats://HOST:PORT/STREAM", s.From)
	case s.Native && !isPubSub:
		return errors.New("only a Pub/Sub subscription has a native read")
	case s.Shards < 1 || s.Shards > mostShards:
		return fmt.Errorf("%d shards: must be 1 to %d", s.Shards, mostShards)
	case s.BatchSize < 1 || s.BatchSize > mostBatchSize:
		return fmt.Errorf("batches of %d documents: must be 1 to %d", s.BatchSize, mostBatchSize)
	case s.Readers < 1 || s.Readers > mostReaders:
		return fmt.Errorf("%d readers: must be 1 to %d", s.Readers, mostReaders)
	case s.Remember < 2*s.Shards:
		return fmt.Errorf("%d ids to remember: must be at least two for each shard", s.Remember)
	case s.AckDelay < 0 || s.AckDelay > longestLease-time.Minute:
		return fmt.Errorf("an acknowledgement delay of %v: must be 0 to %v", s.AckDelay, longestLease-time.Minute)
	case s.Shards > 1 && (s.Clustering.HalfLife != 0 || s.Clustering.HalfLifeTime != 0):
		return errors.New("a half-life needs one shard: several do not agree on how much time has passed")
	case s.Shards > 1 && s.OnUpdates != nil:
		return errors.New("updates can be followed in order with one shard only")
	}
	return nil
}

func isJetStream(address string) bool {
	return strings.HasPrefix(address, "nats://") || strings.HasPrefix(address, "tls://")
}

// calibrationTexts is how many texts a model is calibrated with.
const calibrationTexts = 256

// Resolve loads the model and fills in what follows from it: its fingerprint, the
// length of its vectors and how alike unrelated texts are to it.
func (s *ClusterSettings) Resolve(ctx context.Context) error {
	model, err := s.Model.open(ctx)
	if err != nil {
		return err
	}
	s.Model.Fingerprint = model.Info().Fingerprint
	s.Clustering.Dim = model.Dim()
	texts, err := dataset.SampleTexts(ctx, calibrationTexts)
	if err != nil {
		return err
	}
	vectors, err := model.Embed(ctx, texts)
	if err != nil {
		return fmt.Errorf("calibrating the model: %w", err)
	}
	s.Clustering.Unrelated, err = cluster.Calibrate(vectors)
	return err
}

// newJob names a pipeline.
func newJob() string { return uuid.NewString() }
