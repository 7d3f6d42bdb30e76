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
	"starling/pipeline"
	"starling/store"
)

type demoCmd struct {
	datasetFlags
	clusteringFlags
	Web string `help:"Address to serve the page at; auto, the default, is 127.0.0.1:8787 or, where that is taken, another port; none for no page. With an address, and in a terminal, the demo goes on until it is stopped." default:"auto" env:"STARLING_DEMO_WEB" placeholder:"auto|none|ADDR"`
	webFlags
	Rate float64 `help:"Texts a second; 0 for as fast as they can be clustered." placeholder:"N"`
	// State has a variable of its own: it is emptied, and no other command's is.
	State string `env:"STARLING_DEMO_STATE" help:"Folder for the demo's broker and state, emptied first if a demo made it; by default in the user's cache directory." placeholder:"DIR" type:"path"`
}

// Help says what to expect.
func (demoCmd) Help() string {
	return "Starts the embedded broker, publishes the collection to it, clusters what arrives, and ends with a table of the clusters. " +
		"Nothing else needs to run, and no text leaves this machine."
}

const (
	demoStream = "demo"
	// demoIdle ends the demo when all was published and nothing came for that long.
	demoIdle = 200 * time.Millisecond
	// demoRows is how many clusters it shows at the end.
	demoRows = 15
)

// Run shows a stream being clustered.
func (c *demoCmd) Run(ctx context.Context, std streams) (err error) {
	if err := checkRate(c.Rate); err != nil {
		return err
	}
	if c.Dataset == dataset.Emotion {
		c.everything()
	}
	collection, err := c.open(ctx, std)
	if err != nil {
		return err
	}
	model, err := c.openModel(ctx, std)
	if err != nil {
		return err
	}
	dir, release, err := c.folder()
	if err != nil {
		return err
	}
	defer release()
	server, err := embedded.Start(filepath.Join(dir, "broker"), "")
	if err != nil {
		return err
	}
	defer server.Shutdown()
	st, err := openState(ctx, dir, model, c.clusteringFlags)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	page, err := c.openDemo(c.Web)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, page.close()) }()
	if page != nil {
		page.announce(std.out)
	}
	stays := page != nil && (c.Web != "auto" || console.IsTerminal(std.out))
	d := demo{page: page, stays: stays, url: server.URL(demoStream), dir: dir, collection: collection, std: std}
	d.publisher = publisher{ownIDs: c.IDField != "", perSecond: c.Rate, progress: func(int64) {}, warn: std.err}
	return d.run(ctx, pipeline.Settings{Model: model, Store: st, UntilIdle: demoIdle})
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

// A demo is one showing.
type demo struct {
	url, dir   string
	collection *dataset.Collection
	publisher  publisher
	std        streams
	bar        *console.Progress
	pipeline   *pipeline.Pipeline
	// page is nil for none, and stays when all is clustered if stays says so.
	page      *web
	stays     bool
	clustered int64
	// started is when the first text was published, last when the last document
	// was on disk.
	started, last time.Time
}

func (d *demo) run(ctx context.Context, settings pipeline.Settings) error {
	topic, err := broker.OpenTopic(ctx, d.url)
	if err != nil {
		return err
	}
	defer closing(d.std.err, "the topic", topic.Close)
	d.publisher.topic = topic
	if settings.Source, err = broker.OpenSource(ctx, d.url, broker.SourceOptions{}); err != nil {
		return err
	}
	defer closing(d.std.err, "the source", settings.Source.Close)
	d.page.feed(settings.Source)
	if settings.State, err = pipeline.Recover(ctx, settings.Store); err != nil {
		return err
	}
	settings.OnUpdates = d.tell
	settings.OnDeadLetters = func(letters []store.DeadLetter) { d.clustered += int64(len(letters)) }
	published, allPublished := context.WithCancel(ctx)
	defer allPublished()
	settings.IdleFrom = published.Done()
	d.page.hook(&settings)
	d.pipeline = pipeline.New(settings)
	if err := d.page.attach(ctx, d.pipeline, "demo of "+collectionTitle(d.collection)); err != nil {
		return err
	}
	defer d.page.detach()
	fmt.Fprintf(d.std.out, "clustering %s with model %s, threshold %.3f\n\n",
		collectionTitle(d.collection), settings.Model.Info().Name, settings.State.Threshold())
	d.bar = console.NewProgress(d.std.err, "clustering", d.collection.Total)
	summary, err := d.flow(ctx, allPublished)
	d.bar.Done()
	if err != nil {
		return err
	}
	if err := d.conclude(summary); err != nil || !d.stays {
		return err
	}
	d.page.posts.Stop(ctx)
	fmt.Fprintf(d.std.err, "\nThe page stays at %s until you press Ctrl-C.\n", d.page.url)
	<-ctx.Done()
	return nil
}

// flow publishes and clusters at the same time, until both are done. It calls
// allPublished in between.
func (d *demo) flow(ctx context.Context, allPublished func()) (summary pipeline.Summary, err error) {
	d.started = time.Now()
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error {
		defer allPublished()
		return d.publisher.publish(ctx, d.collection)
	})
	both.Go(func() (err error) {
		summary, err = d.pipeline.Run(ctx)
		return err
	})
	err = both.Wait()
	return summary, err
}

// tell prints what happens to clusters as it happens: how the first begin and
// end, and how all grow.
func (d *demo) tell(updates []starling.Update) error {
	d.last = time.Now()
	for _, update := range updates {
		d.clustered++
		for _, event := range update.Events {
			if err := d.tellEvent(update, event); err != nil {
				return err
			}
		}
	}
	d.bar.Set(d.clustered)
	return nil
}

func (d *demo) tellEvent(update starling.Update, event starling.Event) error {
	const first = 5
	switch {
	case event.Kind == starling.Grew:
		return d.tellCluster(update, event.To, fmt.Sprintf("has %d", event.Size))
	case event.Kind == starling.Created && event.To <= first:
		return d.tellCluster(update, event.To, "begins")
	case event.Kind == starling.Merged:
		for _, ended := range event.From {
			if ended > first {
				continue
			}
			if err := d.tellCluster(update, ended, fmt.Sprintf("joins %v", event.To)); err != nil {
				return err
			}
		}
	}
	return nil
}

// tellCluster prints what became of a cluster, with the text that just came where
// it is one of its own.
func (d *demo) tellCluster(update starling.Update, cluster starling.ClusterID, what string) error {
	line := fmt.Sprintf("%6d  cluster %-4v %-9s", update.Seq, cluster, what)
	if cluster == update.Cluster {
		line += console.Clip(update.Text, max(20, console.Width(d.std.out)-len(line)))
	}
	return d.bar.Print(d.std.out, strings.TrimRight(line, " "))
}

// conclude prints the table, and what to try next in two lines that work when
// they are pasted.
func (d *demo) conclude(summary pipeline.Summary) error {
	if summary.Documents == 0 {
		return fmt.Errorf("there were no texts in %s to cluster", collectionTitle(d.collection))
	}
	took := d.last.Sub(d.started)
	_, err := fmt.Fprintf(d.std.out, "\n%d messages in %v, %.0f/s with every one of them on disk\n\n",
		summary.Documents, took.Round(time.Millisecond), float64(summary.Documents)/took.Seconds())
	if err != nil {
		return err
	}
	if err := printClusters(d.std.out, d.pipeline.Clusters(0), demoRows); err != nil {
		return err
	}
	program := shellQuote(os.Args[0])
	_, err = fmt.Fprintf(d.std.out, "\nAsk it about a text:         %s assign --state %s \"the train is late again\"\n"+
		"Your own texts, one a line:  git log --format=%%s | %s demo --dataset -\n", program, shellQuote(d.dir), program)
	return err
}
