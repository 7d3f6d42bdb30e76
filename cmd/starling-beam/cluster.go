package main

import (
	"context"
	"fmt"
	"iter"
	"os"
	"strconv"
	"time"

	"starling"
	"starling/beam"
	"starling/cluster"
	"starling/console"
)

type clusterCmd struct {
	runFlags
	Subscription string        `required:"" help:"Where messages come from: projects/P/subscriptions/S, or nats://HOST:PORT/STREAM except on Dataflow." placeholder:"SUBSCRIPTION"`
	To           string        `help:"Where updates are published: projects/P/topics/T, nats://HOST:PORT/STREAM." placeholder:"TOPIC"`
	DeadLetters  string        `help:"Where messages that cannot be clustered are published, with the reason; without it they are logged." placeholder:"TOPIC"`
	Model        string        `help:"Name of a model, here or on the hub, its folder, or a server; the same on every worker." default:"builtin" placeholder:"NAME|DIR|URL"`
	Dtype        string        `help:"Number format of the computation." enum:"f32,bf16,int8," default:"" placeholder:"f32|bf16|int8"`
	Prefix       string        `help:"Put before every text, as some models want it." placeholder:"TEXT"`
	Pull         bool          `help:"Let workers download the model from the hub."`
	Threshold    string        `help:"How wide a cluster may be: above 0, at most 1; auto finds one for the model." default:"auto" placeholder:"auto|FLOAT"`
	MaxMicros    int           `help:"Most micro-clusters of a shard; by default ${default}." default:"2000" placeholder:"N"`
	Shards       int           `help:"How many trees grow in parallel; one does what the starling command does." default:"1" placeholder:"N"`
	Remember     int           `help:"How many ids are known again; by default ${default}." default:"1000000" placeholder:"N"`
	BatchSize    int           `help:"How many documents are embedded and clustered together; by default ${default}." default:"64" placeholder:"N"`
	Readers      int           `help:"How many readers pull side by side, except on Dataflow; by default ${default}." default:"1" placeholder:"N"`
	AckDelay     time.Duration `help:"How long a message is held before it is acknowledged. On Flink, longer than the time between checkpoints." default:"0s" placeholder:"DURATION"`
	UntilIdle    time.Duration `help:"Stop when nothing came for that long, such as 5s; not on Dataflow." placeholder:"DURATION"`
	Print        string        `help:"What to print where the workers are in this process: updates, json, classic (both with one shard in order) or none." enum:"updates,json,classic,none" default:"none" placeholder:"FORM"`
}

// Run clusters until it is told to stop.
func (c *clusterCmd) Run(ctx context.Context) error {
	settings, err := c.settings(ctx)
	if err != nil {
		return err
	}
	p, err := beam.Cluster(settings)
	if err != nil {
		return err
	}
	return c.run(ctx, p)
}

func (c *clusterCmd) settings(ctx context.Context) (beam.ClusterSettings, error) {
	s := beam.ClusterSettings{
		From: c.Subscription, To: c.To, DeadLetters: c.DeadLetters, Native: c.runner() == beam.Dataflow,
		Model:      beam.ModelSpec{Name: c.Model, Dtype: c.Dtype, Prefix: c.Prefix, Pull: c.Pull},
		Clustering: cluster.Config{MaxMicros: c.MaxMicros}, Shards: c.Shards, Remember: c.Remember,
		BatchSize: c.BatchSize, Readers: c.Readers, AckDelay: c.AckDelay, UntilIdle: c.UntilIdle,
	}
	if c.Threshold != "auto" {
		threshold, err := strconv.ParseFloat(c.Threshold, 64)
		if err != nil || !(threshold > 0 && threshold <= 1) {
			return s, fmt.Errorf("--threshold %s: must be auto or a number above 0 and at most 1", c.Threshold)
		}
		s.Clustering.Threshold = threshold
	}
	if err := c.printing(&s); err != nil {
		return s, err
	}
	return s, s.Resolve(ctx)
}

// printing sets what is done with updates in this process.
func (c *clusterCmd) printing(s *beam.ClusterSettings) error {
	var printer console.UpdatePrinter
	switch {
	case c.Print == "none":
		return nil
	case !c.isInProcess():
		return fmt.Errorf("--print %s needs workers in this process; publish updates with --to TOPIC instead", c.Print)
	case c.Shards > 1 && c.Print == "json":
		s.OnMessage = func(body []byte) error {
			_, err := os.Stdout.Write(append(body, '\n'))
			return err
		}
		return nil
	case c.Print == "json":
		printer = console.JSON(os.Stdout)
	case c.Print == "updates":
		printer = console.Lines(os.Stdout)
	case c.Print == "classic":
		var err error
		if printer, err = console.Classic(os.Stdout, none); err != nil {
			return err
		}
	}
	s.OnUpdates = printer.Print
	return nil
}

// none yields no updates: a pipeline begins anew.
var none iter.Seq2[starling.Update, error] = func(func(starling.Update, error) bool) {}
