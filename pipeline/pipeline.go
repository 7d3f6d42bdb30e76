// Package pipeline is the single-machine runtime: it walks every message of a
// broker along the path receive, decode, embed, cluster, commit, acknowledge,
// publish.
//
//	state, err := pipeline.Recover(ctx, store)
//	summary, err := pipeline.New(pipeline.Settings{Source: source, Model: model, Store: store, State: state}).Run(ctx)
//
// A message is acknowledged only after the transaction that holds its document
// is durable, and a document whose id the state holds already is not counted
// again: whatever crashes, every document counts once. Documents are clustered
// in the order they were received, however many are embedded at a time. All
// queues are bounded; a slow stage holds up the ones before it.
package pipeline

import (
	"context"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"starling"
	"starling/broker"
	"starling/cluster"
	"starling/embed"
	"starling/store"
)

// Settings say what a run reads, with what, and where it writes.
type Settings struct {
	// Source is where messages come from. The pipeline does not close it.
	Source *broker.Source
	// Decoder makes documents of messages; nil for one without settings.
	Decoder *broker.Decoder
	// Model turns texts into vectors.
	Model embed.Embedder
	// Store is the state file, opened for writing.
	Store *store.Store
	// State is what [Recover] made of Store. The pipeline owns it from then on.
	State *cluster.State

	// Topic is where updates are published; nil for nowhere. Publishing never
	// holds up clustering.
	Topic *broker.Topic
	// DeadLetterTopic is where dead letters are published; nil for nowhere.
	DeadLetterTopic *broker.Topic
	// OnUpdates is called with the updates of each transaction, in order,
	// once they are durable; nil for nobody. It must not keep the slice. An
	// error ends the run.
	OnUpdates func([]starling.Update) error
	// OnRecords is called as OnUpdates is, with the embeddings too; nil for nobody.
	// It must not block, nor keep or change what it gets.
	OnRecords func([]store.Record)
	// OnDeadLetters is called with what could not be processed, once that is
	// durable; nil for nobody.
	OnDeadLetters func([]store.DeadLetter)

	// OnNotice is called with what people should know of the clusters as a whole:
	// the threshold found, and what looks wrong; nil for nobody. It must not block.
	OnNotice func(string)

	// UntilIdle ends the run when no message came for that long and the broker
	// holds none back. Zero means to run until the context ends.
	UntilIdle time.Duration
	// IdleFrom, when it is closed, lets UntilIdle begin to count; nil for at once.
	IdleFrom <-chan struct{}
	// BatchSize is the most documents embedded at a time. Zero means 32.
	BatchSize int
	// Workers is how many batches are embedded at a time. Zero means one per core.
	Workers int
	// SnapshotEvery is how many documents lie between snapshots at most, give
	// or take a batch; a restart replays them. Zero means 20,000: a snapshot of
	// 2,000 micro-clusters is as large as some 5,000 documents.
	SnapshotEvery int64
	// Keep says which documents the state file keeps.
	Keep Retention
	// Log gets warnings; nil means slog.Default.
	Log *slog.Logger
}

func (s Settings) withDefaults() Settings {
	if s.BatchSize == 0 {
		s.BatchSize = 32
	}
	if s.Workers == 0 {
		s.Workers = runtime.GOMAXPROCS(0)
	}
	if s.SnapshotEvery == 0 {
		s.SnapshotEvery = 20_000
	}
	if s.Log == nil {
		s.Log = slog.Default()
	}
	return s
}

// A Summary counts what a run did.
type Summary struct {
	// Documents were clustered, Duplicates had been before, DeadLetters could
	// not be.
	Documents, Duplicates, DeadLetters int64
}

// A Pipeline is one run over a stream. Each stage is a goroutine that owns what
// it changes; batches pass from one to the next through bounded channels.
type Pipeline struct {
	Settings
	// clustering guards State.
	clustering sync.Mutex
	received   chan *broker.Message
	// unembedded hands batches to the workers, ordered hands the same ones, in
	// the order they were received, to the clustering stage.
	unembedded, ordered chan *batch
	applied             chan *transaction
	// outboxes send on what is durable.
	outboxes []*outbox
	// over is closed when no more commits come.
	over chan struct{}
	// edits are asked for by Edit; ended is closed when Run returns, and failure is
	// what it returns then.
	edits    chan *editing
	ended    chan struct{}
	failure  error
	inFlight *inFlight
	// watch belongs to the clustering stage, as does snapshotAt, the number of
	// documents at the last snapshot as far as this run knows.
	watch      watch
	snapshotAt int64
	meter      meter
}

// New returns a pipeline that has not begun.
func New(settings Settings) *Pipeline {
	settings = settings.withDefaults()
	p := &Pipeline{
		Settings:   settings,
		received:   make(chan *broker.Message, settings.BatchSize),
		unembedded: make(chan *batch), // without room: see fill
		ordered:    make(chan *batch, 4*settings.Workers),
		applied:    make(chan *transaction, maxPending),
		over:       make(chan struct{}),
		edits:      make(chan *editing),
		ended:      make(chan struct{}),
		inFlight:   newInFlight(),
	}
	if p.Topic != nil {
		p.outboxes = append(p.outboxes, newOutbox("updates", p.publishUpdates, p.Log))
	}
	if p.DeadLetterTopic != nil {
		p.outboxes = append(p.outboxes, newOutbox("dead letters", p.publishDeadLetters, p.Log))
	}
	return p
}

// Run processes messages until the context ends, the source has been idle for
// Settings.UntilIdle, or something fails that no retry can mend. In the first
// two cases it drains: what was received is committed and acknowledged, and a
// last snapshot written, before it returns nil. After an error the state file
// is as the last transaction left it and what was not committed was not
// acknowledged. Run is called once.
func (p *Pipeline) Run(ctx context.Context) (Summary, error) {
	// Stages after the first go on when ctx ends, so that the run drains; they
	// stop early only when one of them fails.
	p.meter.begin(time.Now())
	stages, working := errgroup.WithContext(context.WithoutCancel(ctx))
	receiving, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(working, stop)()

	stages.Go(func() error { return p.receive(receiving) })
	stages.Go(func() error { return p.assemble(working) })
	for range p.Workers {
		stages.Go(func() error { return p.embed(working) })
	}
	stages.Go(func() error { return p.cluster(working) })
	stages.Go(func() error { return p.commit(working) })
	for _, box := range p.outboxes {
		stages.Go(func() error { return box.run(working) })
	}
	stages.Go(func() error { return p.trim(working) })
	p.failure = stages.Wait()
	close(p.ended)
	return p.Stats().Summary, p.failure
}

// Clusters returns the clusters as they are now, largest first; limit 0 means
// all. It may be called at any time, from any goroutine.
func (p *Pipeline) Clusters(limit int) []cluster.Summary {
	p.clustering.Lock()
	defer p.clustering.Unlock()
	return p.State.Clusters(limit)
}

// View calls look with the clustering as it is now. It must be quick, since the
// stream waits meanwhile, and neither change nor keep the state. View may be called at
// any time, from any goroutine.
func (p *Pipeline) View(look func(*cluster.State)) {
	p.clustering.Lock()
	defer p.clustering.Unlock()
	look(p.State)
}

// send passes a value to the next stage, or gives up when a stage has failed.
func send[T any](ctx context.Context, to chan<- T, value T) error {
	select {
	case to <- value:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
