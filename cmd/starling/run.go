package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"starling"
	"starling/broker"
	"starling/broker/httpsource"
	"starling/cluster"
	"starling/console"
	"starling/pipeline"
	"starling/store"
)

type runCmd struct {
	From string `required:"" help:"Where messages come from: nats://HOST:PORT/NAME, kafka://HOST:PORT/TOPIC, gcppubsub://projects/P/subscriptions/S, awssqs://sqs.REGION.amazonaws.com/ACCOUNT/QUEUE, file:PATH, - for standard input, or http://HOST:PORT to have documents posted there." placeholder:"URL"`
	sourceFlags
	To            string `help:"Where updates are published to, one JSON object a document: a broker as above, or a webhook, https://HOST/PATH." placeholder:"URL"`
	DeadLettersTo string `help:"Where dead letters are published to as well, one JSON object each; the state keeps them in any case." placeholder:"URL"`
	topicFlags
	createFlag
	State string `required:"" help:"Folder of the state; made when absent." placeholder:"DIR" type:"path"`
	clusteringFlags
	retentionFlags
	Web string `help:"Address to serve the page, the API and the metrics at, such as 127.0.0.1:8787." placeholder:"ADDR"`
	webFlags
	Print           string        `help:"What to print: updates, one readable line a message; clusters, the table now and then; classic, everything after each message, as the Python example does; json, one update a line; none. By default ${default}." enum:"updates,clusters,classic,json,none" default:"updates" placeholder:"FORM"`
	UntilIdle       time.Duration `help:"Stop when nothing came for that long, such as 5s." placeholder:"DURATION"`
	ShutdownTimeout time.Duration `help:"How long to finish what was received when told to stop; by default ${default}." default:"30s" placeholder:"DURATION"`
	DryRun          bool          `help:"Print the settings, check that broker, model and state open, and stop."`
}

// Help says what happens on signals.
func (runCmd) Help() string {
	return "The state is one folder. A message is acknowledged once its document is durable in it, so the process may be " +
		"killed at any time and started again. SIGINT and SIGTERM finish what was received; a second one ends at once.\n\n" +
		"A broker remembers how far its messages were read. To fill another state from the same messages of a NATS stream, " +
		"read it under another name: nats://HOST:PORT/NAME?consumer=OTHER.\n\n" +
		"With --create, gcppubsub://projects/P/subscriptions/S?topic=T makes the subscription of that topic, which may be given " +
		"ack_deadline=60s, ordered=true, exactly_once=true, dead_letter_topic=D and max_attempts=N besides. What exists stays " +
		"as it is.\n\n" +
		"From http://HOST:PORT, documents are posted to http://HOST:PORT/api/documents: an object, an array of them, JSON lines, " +
		"or plain lines. The answer comes when they are durable, and says what became of each.\n\n" +
		"A file holds JSON lines, CSV or TSV with a header, or a text a line, and may be packed with gzip or Zstandard; the " +
		"state remembers how far it was read, and a row that cannot be read is put aside. The run ends at the end of the file, " +
		"or with --follow goes on when the file grows or is rotated.\n\n" +
		"In messages of JSON, a field is named by its path: user.posts.0.body. A message without the text, or with an id or a " +
		"time that cannot be one, is put aside with the reason."
}

// Run clusters messages until it is told to stop.
func (c *runCmd) Run(ctx context.Context, std streams, parsed *kong.Context, file *settingsFile) (err error) {
	if err := c.validate(); err != nil {
		return err
	}
	if c.DryRun {
		return c.check(ctx, std, parsed, file)
	}
	if err := c.fromState(ctx, c.State); err != nil {
		return err
	}
	page, err := c.openPage(std)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, page.close()) }()
	model, err := c.openModel(ctx, std)
	if err != nil {
		return err
	}
	if err := errors.Join(c.createSource(ctx, c.From), c.createTopic(ctx, c.To), c.createTopic(ctx, c.DeadLettersTo)); err != nil {
		return err
	}
	if !store.Exists(c.State) {
		// No state begins when there is nothing to fill it from.
		if err := c.checkBrokers(ctx); err != nil {
			return err
		}
	}
	settings := pipeline.Settings{Model: model, UntilIdle: c.UntilIdle}
	if settings.Keep, err = c.retention(); err != nil {
		return err
	}
	if settings.Decoder, err = c.decoder(); err != nil {
		return err
	}
	if settings.Store, err = openState(ctx, c.State, model, c.clusteringFlags); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, settings.Store.Close()) }()
	// Only with the state in hand: opening a source takes messages over.
	if settings.Source, err = broker.OpenSource(ctx, c.From, c.sourceOptions(c.State)); err != nil {
		return err
	}
	defer closing(std.err, "the source", settings.Source.Close)
	page.feed(settings.Source)
	if c.DeadLettersTo != "" {
		if settings.DeadLetterTopic, err = c.openTopic(ctx, c.DeadLettersTo); err != nil {
			return err
		}
		defer closing(std.err, "the topic of dead letters", settings.DeadLetterTopic.Close)
	}
	if c.To != "" {
		if settings.Topic, err = c.openTopic(ctx, c.To); err != nil {
			return err
		}
		defer closing(std.err, "the topic", settings.Topic.Close)
		if err := tellOfUnpublished(ctx, std.err, settings.Store); err != nil {
			return err
		}
	}
	return c.cluster(ctx, std, settings, page)
}

// validate finds the values that nothing else refuses.
func (c *runCmd) validate() error {
	if c.UntilIdle < 0 {
		return fmt.Errorf("--until-idle %v: must not be negative", c.UntilIdle)
	}
	if c.ShutdownTimeout < 0 {
		return fmt.Errorf("--shutdown-timeout %v: must not be negative", c.ShutdownTimeout)
	}
	if _, _, err := c.halfLife(); err != nil {
		return err
	}
	if _, err := c.retention(); err != nil {
		return err
	}
	if err := errors.Join(c.checkFor(c.From), c.checkNoCircle()); err != nil {
		return err
	}
	_, err := c.threshold()
	return err
}

// checkNoCircle refuses to publish to what is read, as far as the URLs tell: what is
// published would be clustered, and published, for ever.
func (c *runCmd) checkNoCircle() error {
	place := func(url string) string {
		url, _, _ = strings.Cut(url, "?")
		return strings.TrimSuffix(strings.TrimSuffix(url, httpsource.Path), "/")
	}
	for flag, topic := range map[string]string{"--to": c.To, "--dead-letters-to": c.DeadLettersTo} {
		if topic != "" && place(topic) == place(c.From) {
			return fmt.Errorf("%s is what --from reads: what is published there would come again for ever; publish elsewhere", flag)
		}
	}
	return nil
}

func (c *runCmd) checkBrokers(ctx context.Context) error {
	err := broker.CheckSource(ctx, c.From, c.sourceOptions(c.State))
	for _, topic := range []string{c.To, c.DeadLettersTo} {
		if err == nil && topic != "" {
			err = broker.CheckTopic(ctx, topic, c.topicOptions())
		}
	}
	return err
}

// closing closes what was opened, and says so if that fails. It has its own
// time: the context of the command may have ended.
func closing(w io.Writer, what string, closeIt func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := closeIt(ctx); err != nil {
		complain(w, fmt.Errorf("closing %s: %w", what, err))
	}
}

// cluster runs the pipeline over an open state.
func (c *runCmd) cluster(ctx context.Context, std streams, settings pipeline.Settings, page *web) error {
	var err error
	if settings.State, err = pipeline.Recover(ctx, settings.Store); err != nil {
		return err
	}
	fmt.Fprintf(std.err, "clustering %s into %s: %d documents so far, model %s, threshold %.3f\n",
		broker.Redact(c.From), c.State, settings.State.Documents(), settings.Model.Info().Name, settings.State.Threshold())
	var p *pipeline.Pipeline
	clusters := func() []cluster.Summary { return p.Clusters(0) }
	show, err := c.printer(ctx, std.out, settings.Store, clusters)
	if err != nil {
		return err
	}
	started := time.Now()
	last := started
	settings.OnUpdates = func(updates []starling.Update) error {
		last = time.Now() // of the work done; what follows may be waiting for more
		return show(updates)
	}
	settings.OnDeadLetters = func(letters []store.DeadLetter) {
		for _, letter := range letters {
			complain(std.err, fmt.Errorf("message %s was put aside: %s", letter.MessageID, letter.Reason))
		}
	}
	settings.OnNotice = func(text string) { fmt.Fprintln(std.err, "starling:", text) }
	page.hook(&settings)
	p = pipeline.New(settings)
	if err := page.attach(ctx, p, broker.Redact(c.From)); err != nil {
		return err
	}
	defer page.detach()
	defer limitShutdown(ctx, std.err, c.ShutdownTimeout)()
	summary, err := p.Run(ctx)
	if c.Print == "clusters" && err == nil {
		err = printClusters(std.out, clusters(), tableRows)
	}
	report(std.err, summary, last.Sub(started))
	return err
}

// printer returns what prints updates in the form asked for.
func (c *runCmd) printer(
	ctx context.Context, out io.Writer, st *store.Store, clusters func() []cluster.Summary,
) (func([]starling.Update) error, error) {
	switch c.Print {
	case "updates":
		return console.Lines(out).Print, nil
	case "json":
		return console.JSON(out).Print, nil
	case "classic":
		printer, err := console.Classic(out, st.Members(ctx))
		if err != nil {
			return nil, err
		}
		return printer.Print, nil
	case "clusters":
		return tables(out, clusters), nil
	}
	return func([]starling.Update) error { return nil }, nil
}

// tableEvery is how much time lies between tables of a running stream.
const tableEvery = 2 * time.Second

// tables returns what prints the table now and then.
func tables(out io.Writer, clusters func() []cluster.Summary) func([]starling.Update) error {
	shown := time.Now()
	return func([]starling.Update) error {
		if time.Since(shown) < tableEvery {
			return nil
		}
		if err := printClusters(out, clusters(), tableRows); err != nil {
			return err
		}
		shown = time.Now()
		_, err := fmt.Fprintln(out)
		return err
	}
}

// limitShutdown ends the process when it was told to stop and has not after the
// time allowed. What is not committed by then was not acknowledged and comes
// again. The function returned calls it off.
func limitShutdown(ctx context.Context, w io.Writer, allowed time.Duration) func() {
	over := make(chan struct{})
	go func() {
		select {
		case <-over:
			return
		case <-ctx.Done():
		}
		fmt.Fprintln(w, "starling: finishing what was received; a second signal ends at once")
		select {
		case <-over:
		case <-time.After(allowed):
			fmt.Fprintf(w, "starling: not finished after %v; ending now, the rest comes again\n", allowed)
			os.Exit(exitFailed)
		}
	}()
	return func() { close(over) }
}

// report says what a run did.
func report(w io.Writer, s pipeline.Summary, took time.Duration) {
	fmt.Fprintf(w, "clustered %d documents", s.Documents)
	if s.Documents > 0 {
		fmt.Fprintf(w, " in %v (%.0f/s)", took.Round(time.Millisecond), float64(s.Documents)/took.Seconds())
	}
	if s.Duplicates > 0 {
		fmt.Fprintf(w, ", passed over %d that were in the state already", s.Duplicates)
	}
	if s.DeadLetters > 0 {
		fmt.Fprintf(w, ", put aside %d that could not be", s.DeadLetters)
	}
	fmt.Fprintln(w)
}
