package beam

import (
	sdk "github.com/apache/beam/sdks/v2/go/pkg/beam"

	"starling/cluster"
)

// The steps, by the names that they have in Beam's Python example of online
// clustering.
const (
	stepRead      = "Read from PubSub"
	stepDecode    = "Decode PubSubMessage"
	stepTokenize  = "Tokenize Text"
	stepEmbed     = "Get Embedding"
	stepNormalize = "Normalize Embedding" //nolint:misspell // the name of the reference
	stepKey       = "Map doc to key"
	stepCluster   = "StatefulClustering using BIRCH"
	stepFormat    = "Format Update"
	stepWrite     = "Write to PubSub"
)

// The steps that the example has not.
const (
	stepMerge       = "Merge Clusters"
	stepAssign      = "Assign Clusters"
	stepPrint       = "Print Update"
	stepDeadLetters = "Dead Letters"
)

// Cluster returns the pipeline that clusters the messages of a subscription.
func Cluster(settings ClusterSettings) (*sdk.Pipeline, error) {
	settings = settings.withDefaults()
	if err := settings.validate(); err != nil {
		return nil, err
	}
	// The one place that knows what is allowed.
	if _, err := cluster.New(settings.Clustering); err != nil {
		return nil, err
	}
	p, s := sdk.NewPipelineWithRoot()
	b := builder{settings: settings, root: s, job: newJob()}
	b.cluster()
	return p, nil
}

// A builder puts the clustering pipeline together.
type builder struct {
	settings ClusterSettings
	root     sdk.Scope
	job      string
	// refused holds the dead letters of the steps so far.
	refused []sdk.PCollection
}

func (b *builder) cluster() {
	messages := b.read()
	documents := b.refusing(stepDecode, &decodeFn{}, messages)
	documents = sdk.ParDo(b.root.Scope(stepTokenize), &tokenizeFn{Model: b.settings.Model}, documents)
	embedded := b.refusing(stepEmbed, &embedFn{Model: b.settings.Model, BatchSize: b.settings.BatchSize}, documents)
	embedded = b.refusing(stepNormalize, &normalizeFn{}, embedded)
	keyed := sdk.ParDo(b.root.Scope(stepKey), &keyFn{Shards: b.settings.Shards, BatchSize: b.settings.BatchSize}, embedded)
	var formatted sdk.PCollection
	if b.settings.Shards == 1 {
		formatted = b.clusterWhole(keyed)
	} else {
		formatted = b.clusterShards(keyed)
	}
	if b.settings.To != "" {
		b.write(stepWrite, b.settings.To, formatted)
	}
	if b.settings.OnMessage != nil {
		listeners.Store(b.job, b.settings.OnMessage)
		sdk.ParDo0(b.root.Scope(stepPrint), &listenFn{Job: b.job}, formatted)
	}
	b.bury()
}

// clusterWhole clusters a stream of one shard.
func (b *builder) clusterWhole(keyed sdk.PCollection) sdk.PCollection {
	updates := b.refusing(stepCluster, newClusterFn(b.job, b.settings.Clustering, b.settings.Remember), keyed)
	if b.settings.OnUpdates != nil {
		follow(b.job, b.settings.OnUpdates)
		sdk.ParDo0(b.root.Scope(stepPrint), &printFn{Job: b.job}, updates)
	}
	return sdk.ParDo(b.root.Scope(stepFormat), &formatFn{}, updates)
}

// clusterShards clusters a stream of several shards.
func (b *builder) clusterShards(keyed sdk.PCollection) sdk.PCollection {
	settings := b.settings
	shard := newShardFn(b.job, settings.Clustering, settings.Shards, settings.Remember/settings.Shards)
	placed, reports, refused := sdk.ParDo3(b.root.Scope(stepCluster), shard, keyed)
	b.refused = append(b.refused, refused)
	moved, changes := sdk.ParDo2(b.root.Scope(stepMerge), newMergeFn(b.job, settings.Clustering, settings.Shards), reports)
	s := b.root.Scope(stepAssign)
	updates := sdk.ParDo(s, newAssignFn(b.job), sdk.Flatten(s, placed, moved))
	s = b.root.Scope(stepFormat)
	return sdk.Flatten(s, sdk.ParDo(s, &formatShardFn{}, updates), sdk.ParDo(s, &formatChangesFn{}, changes))
}

// read reads the messages. Where the read is ours, what it gives is made durable
// before anything is done with it: so a message is acknowledged soon, and the rest of
// the pipeline is not bound to the few readers.
func (b *builder) read() sdk.PCollection {
	s := b.root.Scope(stepRead)
	if b.settings.Native {
		return nativeRead(s, b.settings.From)
	}
	fn := &readFn{Readers: b.settings.Readers, AckDelay: b.settings.AckDelay, UntilIdle: b.settings.UntilIdle}
	return sdk.Reshuffle(s, sdk.ParDo(s, fn, sdk.Create(s, b.settings.From)))
}

// refusing applies a step that has dead letters for a second output.
func (b *builder) refusing(step string, fn any, in sdk.PCollection) sdk.PCollection {
	out, refused := sdk.ParDo2(b.root.Scope(step), fn, in)
	b.refused = append(b.refused, refused)
	return out
}

// bury does what is to be done with dead letters.
func (b *builder) bury() {
	s := b.root.Scope(stepDeadLetters)
	messages := sdk.ParDo(s, &deadLetterFn{}, sdk.Flatten(s, b.refused...))
	if b.settings.DeadLetters != "" {
		b.write(stepDeadLetters, b.settings.DeadLetters, messages)
	}
}

// write publishes messages.
func (b *builder) write(step, topic string, messages sdk.PCollection) {
	s := b.root.Scope(step)
	if b.settings.Native && topicPath.MatchString(topic) {
		nativeWrite(s, topic, messages)
		return
	}
	sdk.ParDo0(s, &writeFn{Topic: topic}, messages)
}
