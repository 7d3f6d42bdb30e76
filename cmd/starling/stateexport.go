package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"starling"
	"starling/cluster"
	"starling/console"
	"starling/pipeline"
	"starling/store"
)

type stateExportCmd struct {
	What       []string `help:"What to write: documents, each with the cluster it is in now and where it was put when it came; clusters; events. By default ${default}." enum:"documents,clusters,events" default:"documents" placeholder:"WHAT,..."`
	Format     string   `help:"jsonl, csv or parquet; by default ${default}." enum:"jsonl,csv,parquet" default:"jsonl" placeholder:"FORMAT"`
	Out        string   `help:"File to write, or - for standard output, the default. Of more than one WHAT, the folder for documents.jsonl, clusters.jsonl and so on." default:"-" placeholder:"FILE"`
	Embeddings bool     `help:"Write the embeddings of documents too."`
	Raw        bool     `help:"In CSV, write cells as they are. Without it one that a spreadsheet would take for a formula begins with an apostrophe."`
}

// Help says what the formats hold.
func (stateExportCmd) Help() string {
	return "Rows are written as they are read, so that memory does not grow with the state. A run may go on meanwhile: " +
		"documents and events are those that were there when the export began, and each WHAT is of its own moment.\n\n" +
		"Texts come from strangers. A spreadsheet runs a CSV cell that begins with = + - @, a tab or a line end as a formula, " +
		"so such a cell gets an apostrophe in front, and so does one that begins with an apostrophe: taking one away where " +
		"there is one gives back what it was. --raw leaves cells as they are. JSONL and Parquet need none of that."
}

// Run exports.
func (c *stateExportCmd) Run(ctx context.Context, std streams, state *stateCmd) error {
	if c.Out == "-" && len(c.What) > 1 {
		return errors.New("--out -: one kind of rows goes to standard output; name a folder for more")
	}
	if c.Out == "-" && c.Format == "parquet" && console.IsTerminal(std.out) {
		return errors.New("--out -: Parquet is not for a terminal; name a file")
	}
	st, err := openToRead(ctx, state.State)
	if err != nil {
		return err
	}
	return errors.Join(c.export(ctx, std, st), st.Close())
}

func (c *stateExportCmd) export(ctx context.Context, std streams, st *store.Store) error {
	if len(c.What) == 1 {
		return c.exportTo(ctx, std, st, c.What[0], c.Out)
	}
	if err := os.MkdirAll(c.Out, 0o700); err != nil {
		return fmt.Errorf("making the folder for the export: %w", err)
	}
	for _, what := range c.What {
		if err := c.exportTo(ctx, std, st, what, filepath.Join(c.Out, what+"."+c.Format)); err != nil {
			return err
		}
	}
	return nil
}

// exportTo writes one kind of rows to a file.
func (c *stateExportCmd) exportTo(ctx context.Context, std streams, st *store.Store, what, name string) error {
	w, end, err := fileOrOut(name, std.out)
	if err != nil {
		return fmt.Errorf("exporting %s: %w", what, err)
	}
	n, err := c.write(ctx, std, st, what, w)
	if err = end(err); err != nil {
		return fmt.Errorf("exporting %s: %w", what, err)
	}
	if name != "-" {
		fmt.Fprintf(std.err, "wrote %d %s to %s\n", n, what, console.Safe(name))
	}
	return nil
}

func (c *stateExportCmd) write(ctx context.Context, std streams, st *store.Store, what string, w io.Writer) (int64, error) {
	switch what {
	case "clusters":
		return exportClusters(ctx, st, newRowWriter[clusterRow](w, c.Format, c.Raw))
	case "events":
		return exportEvents(ctx, std, st, newRowWriter[eventRow](w, c.Format, c.Raw))
	}
	if c.Embeddings {
		return exportDocuments(ctx, std, st, true, newRowWriter[embeddedRow](w, c.Format, c.Raw), embeddedRowOf)
	}
	return exportDocuments(ctx, std, st, false, newRowWriter[documentRow](w, c.Format, c.Raw), documentRowOf)
}

func exportDocuments[T row](
	ctx context.Context, std streams, st *store.Store, embeddings bool, rows rowWriter[T], rowOf func(store.Placed) T,
) (n int64, err error) {
	first, last, err := ends(ctx, st)
	if err != nil {
		return 0, err
	}
	bar := console.NewProgress(std.err, "exporting documents", last-first+1)
	defer bar.Done()
	for document, err := range st.Placed(ctx, embeddings) {
		if err != nil {
			return n, err
		}
		if err := rows.write(rowOf(document)); err != nil {
			return n, err
		}
		n++
		bar.Set(document.Seq - first + 1)
	}
	return n, rows.close()
}

func ends(ctx context.Context, st *store.Store) (first, last int64, err error) {
	if first, err = st.First(ctx); err == nil {
		last, err = st.Last(ctx)
	}
	return first, last, err
}

func exportClusters(ctx context.Context, st *store.Store, rows rowWriter[clusterRow]) (n int64, err error) {
	state, err := pipeline.Recover(ctx, st)
	if err != nil {
		return 0, err
	}
	for _, c := range state.Clusters(0) {
		if err := rows.write(clusterRowOf(c)); err != nil {
			return n, err
		}
		n++
	}
	return n, rows.close()
}

// exportEvents writes the events of the documents that are kept, and those of
// edits since the last one.
func exportEvents(ctx context.Context, std streams, st *store.Store, rows rowWriter[eventRow]) (n int64, err error) {
	first, last, err := ends(ctx, st)
	if err != nil {
		return 0, err
	}
	bar := console.NewProgress(std.err, "exporting events", last-first+1)
	defer bar.Done()
	write := func(of starling.Document, seq int64, events []starling.Event) error {
		for _, event := range events {
			if err := rows.write(eventRowOf(of, seq, event)); err != nil {
				return err
			}
			n++
		}
		return nil
	}
	for after := first - 1; after < last; {
		updates, err := st.Updates(ctx, after, int(min(exportAtATime, last-after)))
		if err != nil || len(updates) == 0 {
			return n, err
		}
		for _, update := range updates {
			if err := write(update.Document, update.Seq, update.Events); err != nil {
				return n, err
			}
		}
		after = updates[len(updates)-1].Seq
		bar.Set(after - first + 1)
	}
	edits, err := st.Edits(ctx, 0)
	if err != nil {
		return n, err
	}
	for _, edit := range edits {
		if edit.Seq != last {
			continue // the document after it has its events too
		}
		if err := write(starling.Document{}, 0, edit.Events); err != nil {
			return n, err
		}
	}
	return n, rows.close()
}

// exportAtATime is how many updates are read at once for their events.
const exportAtATime = 256

// clusterRowOf makes the row of a cluster.
func clusterRowOf(c cluster.Summary) clusterRow {
	return clusterRow{
		ID: uint64(c.ID), Size: c.Size, Name: c.Name, Pinned: c.Pinned, Outlier: c.Outlier, Duplicates: c.Duplicates,
		Terms: c.Terms, Text: c.Text, Texts: c.Texts,
	}
}
