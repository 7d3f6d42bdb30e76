package console

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"starling"
)

// An UpdatePrinter prints updates in the order they come.
type UpdatePrinter interface {
	// Print prints a batch of updates and flushes it.
	Print(updates []starling.Update) error
}

// Lines prints one readable line an update.
func Lines(w io.Writer) UpdatePrinter {
	return &lines{out: bufio.NewWriter(w), width: Width(w)}
}

type lines struct {
	out   *bufio.Writer
	width int
}

func (l *lines) Print(updates []starling.Update) error {
	for _, update := range updates {
		head := fmt.Sprintf("%7d  cluster %-5v %.2f  ", update.Seq, update.Cluster, update.Similarity)
		events := describe(update)
		room := max(20, l.width-len(head)-len(events))
		fmt.Fprintf(l.out, "%s%s%s\n", head, Clip(update.Text, room), events)
	}
	return l.out.Flush()
}

// mostChanges is how many changes of clusters a line names one by one; a
// regrouping may bring hundreds.
const mostChanges = 2

// describe says in a few words what happened to clusters: first what moved
// documents from one to another, then what became of the document's own.
func describe(update starling.Update) string {
	var changes, sizes []string
	for _, e := range update.Events {
		switch e.Kind {
		case starling.Merged:
			changes = append(changes, fmt.Sprintf("%s became part of %v", list(e.From), e.To))
		case starling.Split:
			changes = append(changes, fmt.Sprintf("part of %s went to %v", list(e.From), e.To))
		case starling.Created:
			sizes = append(sizes, name(e.To, update.Cluster)+"new")
		case starling.Grew:
			sizes = append(sizes, fmt.Sprintf("%snow %d", name(e.To, update.Cluster), e.Size))
		}
	}
	if more := len(changes) - mostChanges; more > 0 {
		changes = append(changes[:mostChanges], fmt.Sprintf("%d more", more))
	}
	if said := slices.Concat(changes, sizes); len(said) > 0 {
		return "  [" + strings.Join(said, "; ") + "]"
	}
	return ""
}

// name names a cluster, unless it is the one that the line is about.
func name(cluster, line starling.ClusterID) string {
	if cluster == line {
		return ""
	}
	return cluster.String() + " is "
}

// list names at most three clusters.
func list(ids []starling.ClusterID) string {
	var names []string
	for _, id := range ids[:min(3, len(ids))] {
		names = append(names, id.String())
	}
	if more := len(ids) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}
