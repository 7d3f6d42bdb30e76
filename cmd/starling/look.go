package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"starling"
	"starling/cluster"
	"starling/console"
	"starling/store"
)

type clustersCmd struct {
	State string   `required:"" help:"Folder of the state." placeholder:"DIR" type:"path"`
	JSON  bool     `help:"Print one JSON object."`
	Limit *int     `help:"Most clusters to print, 0 for all; by default 20 in the table and all in JSON." placeholder:"N"`
	At    *float64 `help:"Cut the hierarchy of the documents at a mean cosine, and print the branches instead: few large ones at a low one, many small ones at a high one." placeholder:"COSINE"`
}

// Run lists the clusters, largest first.
func (c *clustersCmd) Run(ctx context.Context, std streams) error {
	if c.Limit != nil && *c.Limit < 0 {
		return fmt.Errorf("--limit %d: must not be negative", *c.Limit)
	}
	reading, err := readState(ctx, c.State)
	if err != nil {
		return err
	}
	if c.At != nil {
		return errors.Join(c.printBranches(std, reading.state), reading.store.Close())
	}
	clusters := reading.state.Clusters(0)
	if c.JSON {
		err = console.WriteJSON(std.out, struct {
			Documents int64             `json:"documents"`
			Clusters  []cluster.Summary `json:"clusters"`
		}{reading.state.Documents() - reading.state.Deleted(), clusters[:atMost(c.limit(), len(clusters))]})
	} else {
		err = printClusters(std.out, clusters, c.limit())
	}
	return errors.Join(err, reading.store.Close())
}

// printBranches prints a cut of the hierarchy.
func (c *clustersCmd) printBranches(std streams, state *cluster.State) error {
	branches := state.Hierarchy().Cut(*c.At)
	shown := branches[:atMost(c.limit(), len(branches))]
	if c.JSON {
		return console.WriteJSON(std.out, struct {
			Documents int64            `json:"documents"`
			At        float64          `json:"at"`
			Branches  []cluster.Branch `json:"branches"`
		}{state.Documents() - state.Deleted(), *c.At, shown})
	}
	table := make([]cluster.Summary, len(shown))
	for i, b := range shown {
		table[i] = cluster.Summary{ID: b.Clusters[0], Size: b.Size, Terms: b.Terms, Text: b.Text}
	}
	if err := console.Table(std.out, table); err != nil {
		return err
	}
	_, err := fmt.Fprintf(std.out, "%d branches at cosine %v, each with the id of its first cluster\n", len(branches), *c.At)
	return err
}

// tableRows is how many clusters a table shows.
const tableRows = 20

func (c *clustersCmd) limit() int {
	switch {
	case c.Limit != nil:
		return *c.Limit
	case c.JSON:
		return 0
	}
	return tableRows
}

// atMost returns the smaller of n and limit, where limit 0 means none.
func atMost(limit, n int) int {
	if limit == 0 {
		return n
	}
	return min(limit, n)
}

// printClusters prints the table of the first clusters, and what there is in
// all.
func printClusters(out io.Writer, clusters []cluster.Summary, limit int) error {
	shown := atMost(limit, len(clusters))
	if err := console.Table(out, clusters[:shown]); err != nil {
		return err
	}
	documents, alone := int64(0), 0
	for _, c := range clusters {
		documents += c.Size
		if c.Outlier {
			alone++
		}
	}
	more := ""
	if rest := len(clusters) - shown; rest > 0 {
		more = fmt.Sprintf(", %d of them not shown", rest)
	}
	if alone > 0 && len(clusters) > shown {
		more += fmt.Sprintf(", %d of them a single document", alone)
	}
	_, err := fmt.Fprintf(out, "%d documents in %d clusters%s\n", documents, len(clusters), more)
	return err
}

type showCmd struct {
	State string `required:"" help:"Folder of the state." placeholder:"DIR" type:"path"`
	ID    string `arg:"" help:"Id of the cluster."`
	JSON  bool   `help:"Print one JSON object."`
	Limit int    `help:"Most documents to print; 0 for all." default:"0" placeholder:"N"`
}

// A shown document is one line of a cluster.
type shownDocument struct {
	ID         string  `json:"id"`
	Text       string  `json:"text"`
	Similarity float32 `json:"similarity"`
}

// Run prints one cluster and its documents in the order they came.
func (c *showCmd) Run(ctx context.Context, std streams) error {
	number, err := strconv.ParseUint(c.ID, 10, 64)
	if err != nil {
		return fmt.Errorf("cluster id %q: must be a number, as `starling clusters` prints it", c.ID)
	}
	if c.Limit < 0 {
		return fmt.Errorf("--limit %d: must not be negative", c.Limit)
	}
	reading, err := readState(ctx, c.State)
	if err != nil {
		return err
	}
	return errors.Join(c.show(ctx, std, reading, starling.ClusterID(number)), reading.store.Close())
}

func (c *showCmd) show(ctx context.Context, std streams, reading *reading, id starling.ClusterID) error {
	summary, ok := reading.state.Cluster(id)
	if !ok {
		return fmt.Errorf("there is no cluster %v in %s; it may have become part of another one", id, c.State)
	}
	documents := make([]shownDocument, 0, summary.Size)
	for update, err := range reading.store.Documents(ctx, store.Query{Cluster: id, Limit: c.Limit}) {
		if err != nil {
			return err
		}
		documents = append(documents, shownDocument{update.ID, update.Text, update.Similarity})
	}
	if c.JSON {
		return console.WriteJSON(std.out, struct {
			cluster.Summary
			Documents []shownDocument `json:"documents"`
		}{summary, documents})
	}
	return printCluster(std, summary, documents, c.Limit == 0 || len(documents) < c.Limit)
}

// printCluster prints a cluster and the first or all of those of its documents that
// the state has.
func printCluster(std streams, summary cluster.Summary, documents []shownDocument, all bool) error {
	const idWidth = 36
	textWidth := max(20, console.Width(std.out)-idWidth-len("  0.00  "))
	about := strings.Join(summary.Terms, ", ")
	if summary.Name != "" {
		about = summary.Name + " (" + about + ")"
	}
	kept := ""
	if n := int64(len(documents)); all && n < summary.Size {
		kept = fmt.Sprintf(", %d of them still in the state", n)
	}
	_, err := fmt.Fprintf(std.out, "cluster %v, %d documents%s: %s\n", summary.ID, summary.Size, kept, console.Safe(about))
	for _, d := range documents {
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(std.out, "%-*s  %.2f  %s\n", idWidth, console.Clip(d.ID, idWidth), d.Similarity, console.Clip(d.Text, textWidth))
	}
	return err
}

type assignCmd struct {
	State string   `required:"" help:"Folder of the state." placeholder:"DIR" type:"path"`
	JSON  bool     `help:"Print one JSON object a text."`
	Text  []string `arg:"" help:"Texts to look up."`
}

// An assigned text is what assign says of one text.
type assigned struct {
	Text string `json:"text"`
	// Cluster is the cluster the text is most like.
	Cluster    starling.ClusterID `json:"cluster"`
	Similarity float64            `json:"similarity"`
	// Joins says whether a message with the text would join it; if not, it
	// would begin a cluster of its own.
	Joins bool           `json:"joins"`
	Terms []string       `json:"terms"`
	Next  *cluster.Match `json:"next,omitempty"`
}

// Run looks texts up.
func (c *assignCmd) Run(ctx context.Context, std streams) error {
	reading, err := readState(ctx, c.State)
	if err != nil {
		return err
	}
	return errors.Join(c.assign(ctx, std, reading), reading.store.Close())
}

func (c *assignCmd) assign(ctx context.Context, std streams, reading *reading) error {
	model, err := reading.model(ctx)
	if err != nil {
		return err
	}
	vectors, err := model.Embed(ctx, c.Text)
	if err != nil {
		return err
	}
	for i, text := range c.Text {
		matches, err := reading.state.Assign(vectors[i], 2)
		if err != nil {
			return err
		}
		if len(matches) == 0 {
			return fmt.Errorf("the state in %s has no clusters yet", c.State)
		}
		if err := c.print(std, text, matches); err != nil {
			return err
		}
	}
	return nil
}

func (c *assignCmd) print(std streams, text string, matches []cluster.Match) error {
	best := matches[0]
	if c.JSON {
		a := assigned{Text: text, Cluster: best.ID, Similarity: best.Similarity, Joins: best.Joins, Terms: best.Terms}
		if len(matches) > 1 {
			a.Next = &matches[1]
		}
		return console.WriteJSON(std.out, a)
	}
	verdict := "would join"
	if !best.Joins {
		verdict = "would begin a cluster of its own; nearest is"
	}
	_, err := fmt.Fprintf(std.out, "%s\n  %s %s\n", console.Safe(text), verdict, describeMatch(best))
	if err == nil && len(matches) > 1 {
		_, err = fmt.Fprintf(std.out, "  next best %s\n", describeMatch(matches[1]))
	}
	return err
}

func describeMatch(m cluster.Match) string {
	return fmt.Sprintf("cluster %v (similarity %.2f, %d documents: %s)", m.ID, m.Similarity, m.Size, console.Safe(strings.Join(m.Terms, ", ")))
}
