package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"starling"
	"starling/broker"
	"starling/broker/embedded"
	"starling/console"
	"starling/dataset"
	"starling/embed/models"
	"starling/pipeline"
	"starling/store"
)

type demoCmd struct {
	datasetFlags
	clusteringFlags
	Rate  float64 `help:"Texts a second; 0 for as fast as they can be clustered." placeholder:"N"`
	State string  `help:"Folder for the demo's broker and state, emptied first if a demo made it; by default in the user's cache directory." placeholder:"DIR" type:"path"`
}

// Help says what to expect.
func (demoCmd) Help() string {
	return "Starts the embedded broker, publishes the collection to it, clusters what arrives, and ends with a table of the clusters. " +
		"Nothing else needs to run, and nothing leaves this machine."
}

const (
	demoStream = "demo"
	// demoIdle ends the demo when all was published and nothing came for that long.
	demoIdle = 200 * time.Millisecond
	// demoMark is a file in folders that a demo made and may empty.
	demoMark = ".starling-demo"
)

// Run shows a stream being clustered.
func (c *demoCmd) Run(ctx context.Context, std streams) error {
	if c.Dataset == dataset.Emotion {
		c.everything()
	}
	dir, err := c.folder()
	if err != nil {
		return err
	}
	collection, err := c.open(ctx, std)
	if err != nil {
		return err
	}
	model, err := models.Open(ctx, c.Model, models.Options{})
	if err != nil {
		return err
	}
	server, err := embedded.Start(filepath.Join(dir, "broker"), "")
	if err != nil {
		return err
	}
	defer server.Shutdown()
	st, err := openState(ctx, dir, model, c.clusteringFlags)
	if err != nil {
		return err
	}
	d := demo{url: server.URL(demoStream), dir: dir, collection: collection, rate: c.Rate, std: std}
	return errors.Join(d.run(ctx, pipeline.Settings{Model: model, Store: st, UntilIdle: demoIdle}), st.Close())
}

// everything asks for the whole collection where nothing else was asked for.
func (c *demoCmd) everything() {
	if c.Split == "" {
		c.Split = "all"
	}
	if len(c.Classes) == 0 {
		c.Classes = []string{"all"}
	}
}

// folder returns an empty folder for the demo.
func (c *demoCmd) folder() (string, error) {
	dir := c.State
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("finding a folder for the demo: %w; name one with --state", err)
		}
		dir = filepath.Join(cache, "starling", "demo")
	}
	if err := emptyFolder(dir); err != nil {
		return "", err
	}
	return dir, os.WriteFile(filepath.Join(dir, demoMark), nil, 0o600)
}

// emptyFolder makes dir a new folder. One with other things than a demo's in it
// is left alone.
func emptyFolder(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, os.ErrNotExist), err == nil && len(entries) == 0:
		return os.MkdirAll(dir, 0o700)
	case err != nil:
		return fmt.Errorf("preparing the demo: %w", err)
	}
	if _, err := os.Stat(filepath.Join(dir, demoMark)); err != nil {
		return fmt.Errorf("%s is not empty and not a demo's; name another folder with --state", dir)
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("preparing the demo: %w", err)
	}
	return os.MkdirAll(dir, 0o700)
}

// A demo is one showing.
type demo struct {
	url, dir   string
	collection *dataset.Collection
	rate       float64
	std        streams
	bar        *console.Progress
	pipeline   *pipeline.Pipeline
	clustered  int64
}

func (d *demo) run(ctx context.Context, settings pipeline.Settings) error {
	topic, err := broker.OpenTopic(ctx, d.url)
	if err != nil {
		return err
	}
	defer closing(d.std.err, "the topic", topic.Close)
	if settings.Source, err = broker.OpenSource(ctx, d.url, broker.SourceOptions{}); err != nil {
		return err
	}
	defer closing(d.std.err, "the source", settings.Source.Close)
	if settings.State, err = pipeline.Recover(ctx, settings.Store); err != nil {
		return err
	}
	settings.OnUpdates = d.tell
	settings.OnDeadLetters = func(letters []store.DeadLetter) { d.clustered += int64(len(letters)) }
	published, allPublished := context.WithCancel(ctx)
	defer allPublished()
	settings.IdleFrom = published.Done()
	d.pipeline = pipeline.New(settings)
	fmt.Fprintf(d.std.out, "clustering %s with model %s, threshold %.3f\n\n",
		d.collection.Name, settings.Model.Info().Name, settings.State.Threshold())
	d.bar = console.NewProgress(d.std.err, "clustering", d.collection.Total)
	summary, took, err := d.flow(ctx, topic, allPublished)
	d.bar.Done()
	if err != nil {
		return err
	}
	return d.conclude(summary, took)
}

// flow publishes and clusters at the same time, until both are done. It calls
// allPublished in between.
func (d *demo) flow(ctx context.Context, topic *broker.Topic, allPublished func()) (pipeline.Summary, time.Duration, error) {
	started := time.Now()
	var summary pipeline.Summary
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error {
		defer allPublished()
		p := publisher{topic: topic, perSecond: d.rate, progress: func(int64) {}, warn: d.std.err}
		return p.publish(ctx, d.collection)
	})
	both.Go(func() (err error) {
		summary, err = d.pipeline.Run(ctx)
		return err
	})
	err := both.Wait()
	return summary, time.Since(started), err
}

// tell prints what happens to clusters as it happens: the first to begin, and
// those that grow.
func (d *demo) tell(updates []starling.Update) error {
	const first = 5
	for _, update := range updates {
		d.clustered++
		for _, event := range update.Events {
			var what string
			switch {
			case event.Kind == starling.Grew:
				what = fmt.Sprintf("has %d", event.Size)
			case event.Kind == starling.Created && event.To <= first:
				what = "begins"
			default:
				continue
			}
			head := fmt.Sprintf("%6d  cluster %-4v %-9s", update.Seq, event.To, what)
			d.bar.Print(d.std.out, head+console.Clip(update.Text, max(20, console.Width(d.std.out)-len(head))))
		}
	}
	d.bar.Set(d.clustered)
	return nil
}

func (d *demo) conclude(summary pipeline.Summary, took time.Duration) error {
	const rows = 15
	var out strings.Builder
	clusters := d.pipeline.Clusters(0)
	fmt.Fprintf(&out, "\n%d messages in %d clusters, %.0f/s with every one of them on disk\n\n",
		summary.Documents, len(clusters), float64(summary.Documents)/took.Seconds())
	if _, err := fmt.Fprint(d.std.out, out.String()); err != nil {
		return err
	}
	if err := console.Table(d.std.out, clusters[:min(rows, len(clusters))]); err != nil {
		return err
	}
	if len(clusters) > rows {
		fmt.Fprintf(d.std.out, "and %d smaller ones\n", len(clusters)-rows)
	}
	_, err := fmt.Fprintf(d.std.out, "\nTry next:  starling assign --state %s \"the train is late again\"\n"+
		"Your own:  starling broker --data broker &  then  starling ingest --dataset FILE --to URL  and  starling run --from URL --state DIR\n", d.dir)
	return err
}
