package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"starling"
	"starling/cluster"
	"starling/console"
	"starling/embed"
	"starling/eval"
)

// A vectorSource has the vectors of a stream's documents.
type vectorSource struct {
	// name is that of a model or a file of vectors.
	name   string
	config cluster.Config
	// next returns the vectors of the next documents, and those of them that
	// have one.
	next  func(ctx context.Context, documents []labelled) ([]labelled, [][]float32, error)
	close func()
}

func (c *evalCmd) vectorSource(ctx context.Context, std streams, stream []labelled, aside *asides) (vectorSource, error) {
	if c.Vectors != "" {
		return c.fileSource(stream)
	}
	model, err := c.openModel(ctx, std)
	if err != nil {
		return vectorSource{}, err
	}
	config, err := c.clusterConfig(ctx, model)
	return vectorSource{
		name: model.Info().Name, config: config, close: func() {},
		next: func(ctx context.Context, documents []labelled) ([]labelled, [][]float32, error) {
			return embedAll(ctx, model, documents, aside)
		},
	}, err
}

// fileSource has the rows of --vectors, one for each line of the input.
func (c *evalCmd) fileSource(stream []labelled) (vectorSource, error) {
	config, err := c.vectorsConfig()
	if err != nil {
		return vectorSource{}, err
	}
	file, err := eval.OpenVectors(c.Vectors, c.Dim)
	if err != nil {
		return vectorSource{}, err
	}
	if file.Rows != len(stream) {
		return vectorSource{}, errors.Join(fmt.Errorf("%s has %d rows of %d values, %s has %d documents; there must be as many",
			c.Vectors, file.Rows, c.Dim, c.Input, len(stream)), file.Close())
	}
	return vectorSource{
		name: c.Vectors, config: config,
		close: func() { _ = file.Close() }, // it only read
		next: func(ctx context.Context, documents []labelled) ([]labelled, [][]float32, error) {
			vectors, err := nextVectors(file, len(documents))
			return documents, vectors, errors.Join(err, ctx.Err())
		},
	}, nil
}

// vectorsConfig resolves the settings for --vectors, with the first of them in the
// place of texts that are known to be unrelated.
func (c *evalCmd) vectorsConfig() (cluster.Config, error) {
	config := cluster.Config{Dim: c.Dim, Branching: c.Branching, MaxMicros: c.MaxMicros}
	threshold, err := c.threshold()
	if err != nil {
		return config, err
	}
	config.Threshold = threshold
	file, err := eval.OpenVectors(c.Vectors, c.Dim)
	if err != nil {
		return config, err
	}
	defer func() { _ = file.Close() }() // it only read
	vectors, err := nextVectors(file, min(file.Rows, calibrationTexts))
	if err != nil {
		return config, err
	}
	if len(vectors) < 2 {
		return config, nil
	}
	config.Unrelated, err = cluster.Calibrate(vectors)
	return config, err
}

func nextVectors(file *eval.VectorFile, n int) ([][]float32, error) {
	vectors := make([][]float32, n)
	for i := range vectors {
		var err error
		if vectors[i], err = file.Next(); err != nil {
			return nil, err
		}
	}
	return vectors, nil
}

// replayedAtOnce is how many documents are embedded, then clustered, together.
// The result does not depend on it.
const replayedAtOnce = 1024

// replay clusters the stream and scores the result.
func replay(ctx context.Context, std streams, stream []labelled, source vectorSource) (eval.Report, error) {
	state, err := cluster.New(source.config)
	if err != nil {
		return eval.Report{}, err
	}
	r := eval.NewReplay(state)
	bar := console.NewProgress(std.err, "clustering", int64(len(stream)))
	started := time.Now()
	for documents := range slices.Chunk(stream, replayedAtOnce) {
		if err = replaySome(ctx, r, documents, source); err != nil {
			break
		}
		bar.Set(int64(r.Documents()))
	}
	took := time.Since(started)
	bar.Done()
	if err == nil && r.Documents() == 0 {
		err = errors.New("no document has a vector, so there is nothing to score")
	}
	if err != nil {
		return eval.Report{}, err
	}
	tellReplay(std.err, r.Documents(), took, source.name, state.Threshold())
	return eval.Report{Model: source.name, Result: r.Result(took)}, nil
}

func replaySome(ctx context.Context, r *eval.Replay, documents []labelled, source vectorSource) error {
	kept, vectors, err := source.next(ctx, documents)
	if err != nil {
		return err
	}
	bare := make([]starling.Document, len(kept))
	labels := make([]string, len(kept))
	for i, d := range kept {
		bare[i], labels[i] = d.Document, d.label
	}
	return r.Add(bare, labels, vectors)
}

func tellReplay(w io.Writer, documents int, took time.Duration, name string, threshold float64) {
	fmt.Fprintf(w, "clustered %d documents in %v (%.0f/s), vectors of %s, threshold %.3f\n",
		documents, took.Round(time.Millisecond), float64(documents)/took.Seconds(), console.Safe(name), threshold)
}

// embeddedAtOnce is how many documents a model gets in one call, as in a run.
const embeddedAtOnce = 32

// An embedded batch has the documents that have a vector, and the others.
type embeddedBatch struct {
	kept    []labelled
	vectors [][]float32
	refused []refusedText
}

type refusedText struct {
	line int64
	err  error
}

// embedAll embeds documents, one batch on each processor core. Those without a
// vector are put aside.
func embedAll(ctx context.Context, model embed.Embedder, documents []labelled, aside *asides) ([]labelled, [][]float32, error) {
	batches := make([]embeddedBatch, 0, len(documents)/embeddedAtOnce+1)
	for batch := range slices.Chunk(documents, embeddedAtOnce) {
		batches = append(batches, embeddedBatch{kept: slices.Clone(batch)})
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range batches {
		group.Go(func() error { return batches[i].embed(ctx, model) })
	}
	if err := group.Wait(); err != nil {
		return nil, nil, err
	}
	var kept []labelled
	var vectors [][]float32
	for _, b := range batches {
		kept, vectors = append(kept, b.kept...), append(vectors, b.vectors...)
		for _, refused := range b.refused {
			aside.add(refused.line, refused.err)
		}
	}
	return kept, vectors, nil
}

// embed gives the batch its vectors. A text without one is refused and the others
// are tried again.
func (b *embeddedBatch) embed(ctx context.Context, model embed.Embedder) error {
	for len(b.kept) > 0 {
		texts := make([]string, len(b.kept))
		for i, d := range b.kept {
			texts[i] = d.Text
		}
		vectors, err := model.Embed(ctx, texts)
		var bad *embed.TextError
		switch {
		case err == nil:
			b.vectors = vectors
			return nil
		case !errors.As(err, &bad):
			return fmt.Errorf("embedding %d texts with %s: %w", len(texts), model.Info().Name, err)
		}
		b.refused = append(b.refused, refusedText{b.kept[bad.Index].line, bad.Err})
		b.kept = slices.Delete(b.kept, bad.Index, bad.Index+1)
	}
	return nil
}
