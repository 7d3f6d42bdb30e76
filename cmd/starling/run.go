package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/alecthomas/kong"

	"starling"
	"starling/broker"
	"starling/console"
	"starling/embed/models"
	"starling/pipeline"
	"starling/store"
)

type runCmd struct {
	From  string `required:"" help:"Where messages come from: nats://HOST:PORT/NAME, gcppubsub://projects/P/subscriptions/S." placeholder:"URL"`
	To    string `help:"Where updates are published to, as JSON." placeholder:"URL"`
	State string `required:"" help:"Folder of the state file; made when absent." placeholder:"DIR" type:"path"`
	clusteringFlags
	Print           string        `help:"What to print: updates, one readable line a message; clusters, the table now and then; classic, everything after each message, as the Python example does; json, one update a line; none." enum:"updates,clusters,classic,json,none" default:"updates"`
	UntilIdle       time.Duration `help:"Stop when nothing came for that long." placeholder:"DURATION"`
	ShutdownTimeout time.Duration `help:"How long to finish what was received when told to stop." default:"30s" placeholder:"DURATION"`
	DryRun          bool          `help:"Print the settings, check that broker, model and state open, and stop."`
}

// Help says what happens on signals.
func (runCmd) Help() string {
	return "The state is one folder. A message is acknowledged once its document is durable in it, so the process may be " +
		"killed at any time and started again. SIGINT and SIGTERM finish what was received; a second one ends at once."
}

// Run clusters messages until it is told to stop.
func (c *runCmd) Run(ctx context.Context, std streams, parsed *kong.Context) error {
	if _, err := c.threshold(); err != nil {
		return err
	}
	if c.DryRun {
		return c.check(ctx, std, parsed)
	}
	model, err := models.Open(ctx, c.Model, models.Options{})
	if err != nil {
		return err
	}
	source, err := broker.OpenSource(ctx, c.From, broker.SourceOptions{})
	if err != nil {
		return err
	}
	defer closing(std.err, "the source", source.Close)
	settings := pipeline.Settings{Source: source, Model: model, UntilIdle: c.UntilIdle}
	if c.To != "" {
		if settings.Topic, err = broker.OpenTopic(ctx, c.To); err != nil {
			return err
		}
		defer closing(std.err, "the topic", settings.Topic.Close)
	}
	if settings.Store, err = openState(ctx, c.State, model, c.clusteringFlags); err != nil {
		return err
	}
	err = c.cluster(ctx, std, settings)
	return errors.Join(err, settings.Store.Close())
}

// closing closes what was opened, and says so if that fails. It has its own
// time: the context of the command may have ended.
func closing(w io.Writer, what string, closeIt func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := closeIt(ctx); err != nil {
		fmt.Fprintf(w, "starling: closing %s: %v\n", what, err)
	}
}

// cluster runs the pipeline over an open state.
func (c *runCmd) cluster(ctx context.Context, std streams, settings pipeline.Settings) error {
	var err error
	if settings.State, err = pipeline.Recover(ctx, settings.Store); err != nil {
		return err
	}
	started := time.Now()
	p, err := c.pipeline(ctx, std, settings)
	if err != nil {
		return err
	}
	fmt.Fprintf(std.err, "clustering %s into %s: %d documents so far, model %s, threshold %.3f\n",
		broker.Redact(c.From), c.State, settings.State.Documents(), settings.Model.Info().Name, settings.State.Threshold())
	defer limitShutdown(ctx, std.err, c.ShutdownTimeout)()
	summary, err := p.Run(ctx)
	if c.Print == "clusters" && err == nil {
		err = console.Table(std.out, p.Clusters(tableRows))
	}
	report(std.err, summary, time.Since(started))
	return err
}

// pipeline wires the printing.
func (c *runCmd) pipeline(ctx context.Context, std streams, settings pipeline.Settings) (*pipeline.Pipeline, error) {
	settings.OnDeadLetters = func(letters []store.DeadLetter) {
		for _, letter := range letters {
			fmt.Fprintf(std.err, "starling: message %s was put aside: %s\n", console.Safe(letter.MessageID), console.Safe(letter.Reason))
		}
	}
	if c.Print == "clusters" {
		var p *pipeline.Pipeline
		var shown time.Time
		settings.OnUpdates = func([]starling.Update) error {
			if time.Since(shown) < tableEvery {
				return nil
			}
			shown = time.Now()
			return console.Table(std.out, p.Clusters(tableRows))
		}
		p = pipeline.New(settings)
		return p, nil
	}
	printer, err := c.printer(ctx, std.out, settings.Store)
	if err != nil {
		return nil, err
	}
	if printer != nil {
		settings.OnUpdates = printer.Print
	}
	return pipeline.New(settings), nil
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
	fmt.Fprintf(w, "clustered %d documents in %v (%.0f/s)", s.Documents, took.Round(time.Millisecond), float64(s.Documents)/took.Seconds())
	if s.Duplicates > 0 {
		fmt.Fprintf(w, ", passed over %d that were in the state already", s.Duplicates)
	}
	if s.DeadLetters > 0 {
		fmt.Fprintf(w, ", put aside %d that could not be", s.DeadLetters)
	}
	fmt.Fprintln(w)
}

const (
	// tableRows is how many clusters a table shows.
	tableRows = 20
	// tableEvery is how much time lies between tables of a running stream.
	tableEvery = 2 * time.Second
)

func (c *runCmd) printer(ctx context.Context, out io.Writer, st *store.Store) (console.UpdatePrinter, error) {
	switch c.Print {
	case "updates":
		return console.Lines(out), nil
	case "json":
		return console.JSON(out), nil
	case "classic":
		return console.Classic(out, st.Members(ctx))
	}
	return nil, nil
}
