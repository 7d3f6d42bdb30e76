package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"starling/console"
	"starling/eval"
)

type evalCmd struct {
	Input      string `required:"" help:"Labelled texts in the order of the stream: a file of JSONL, CSV, TSV, Parquet or lines of text;label, or sample." placeholder:"FILE"`
	TextField  string `help:"Field that holds the text; guessed from usual names." placeholder:"FIELD"`
	LabelField string `help:"Field that holds the label; guessed from usual names." placeholder:"FIELD"`
	clusteringFlags
	Vectors string `help:"Vectors to cluster instead of embedding texts: raw little-endian float32, one row a line of the input, which may hold labels alone." placeholder:"FILE"`
	Dim     int    `help:"How many values each row of --vectors has." placeholder:"N"`
	JSON    bool   `help:"Print one JSON object."`
	Report  string `help:"Write a page that shows scores, clusters and charts." placeholder:"FILE.html"`
}

// Help says what is measured.
func (evalCmd) Help() string {
	return "Clusters a labelled stream in one pass with the settings of starling run, in memory, and says how well the clusters " +
		"agree with the labels: once with the cluster that each document has at the end of the stream, and once with the one it " +
		"was put into on arrival. NMI is normalised by the arithmetic mean. Churn is the share of documents whose cluster " +
		"changed without an event that explains it, and must be 0."
}

// Run replays the stream and prints the scores.
func (c *evalCmd) Run(ctx context.Context, std streams) (err error) {
	if err := c.validate(); err != nil {
		return err
	}
	var page *pageFile
	if c.Report != "" {
		if page, err = createPage(c.Report); err != nil {
			return err
		}
		defer page.discard()
	}
	report, err := c.evaluate(ctx, std)
	if err != nil {
		return err
	}
	if page != nil {
		if err := page.write(report); err != nil {
			return err
		}
	}
	if c.JSON {
		return console.WriteJSON(std.out, report)
	}
	return printReport(std.out, report)
}

func (c *evalCmd) validate() error {
	switch {
	case c.Vectors != "" && c.Dim == 0:
		return errors.New("--vectors needs --dim, the number of values in each row")
	case c.Vectors == "" && c.Dim != 0:
		return errors.New("--dim says how long the rows of --vectors are, which is not set")
	}
	_, err := c.threshold()
	return err
}

// evaluate reads the stream and replays it.
func (c *evalCmd) evaluate(ctx context.Context, std streams) (eval.Report, error) {
	aside := &asides{input: c.Input, out: std.err}
	stream, err := c.read(ctx, std, aside)
	if err != nil {
		return eval.Report{}, err
	}
	source, err := c.vectorSource(ctx, std, stream, aside)
	if err != nil {
		return eval.Report{}, err
	}
	defer source.close()
	report, err := replay(ctx, std, stream, source)
	if err != nil {
		return eval.Report{}, err
	}
	report.Input, report.PutAside = c.Input, aside.count
	aside.conclude()
	return report, nil
}

// printReport prints the scores as a table.
func printReport(out io.Writer, r eval.Report) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%d documents with %d labels, %d of them with %d documents or more\n\n",
		r.Documents, r.Labels, r.LargeLabels, eval.LargeSize)
	fmt.Fprintf(&b, "%-15s%12s%12s\n", "", "at the end", "on arrival")
	count := func(name string, of func(eval.Scoring) int) {
		fmt.Fprintf(&b, "%-15s%12d%12d\n", name, of(r.Scoring), of(r.Arrival))
	}
	measure := func(name string, of func(eval.Scoring) float64) {
		fmt.Fprintf(&b, "%-15s%12s%12s\n", name, eval.Decimal(of(r.Scoring)), eval.Decimal(of(r.Arrival)))
	}
	count("clusters", func(s eval.Scoring) int { return s.Clusters })
	count("large clusters", func(s eval.Scoring) int { return s.LargeClusters })
	measure("NMI", func(s eval.Scoring) float64 { return s.NMI })
	measure("AMI", func(s eval.Scoring) float64 { return s.AMI })
	measure("ARI", func(s eval.Scoring) float64 { return s.ARI })
	measure("homogeneity", func(s eval.Scoring) float64 { return s.Homogeneity })
	measure("completeness", func(s eval.Scoring) float64 { return s.Completeness })
	measure("V-measure", func(s eval.Scoring) float64 { return s.VMeasure })
	measure("purity", func(s eval.Scoring) float64 { return s.Purity })
	if r.Silhouette != nil && r.Arrival.Silhouette != nil {
		measure("silhouette", func(s eval.Scoring) float64 { return *s.Silhouette })
	}
	measure("churn", func(s eval.Scoring) float64 { return s.Churn })
	fmt.Fprintf(&b, "\nNMI in %d windows:", len(r.Windows))
	for _, w := range r.Windows {
		fmt.Fprintf(&b, " %.2f", w.NMI)
	}
	_, err := fmt.Fprintln(out, b.String())
	return err
}
