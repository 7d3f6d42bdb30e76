package console

import (
	"bufio"
	"fmt"
	"io"
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
		events := describe(update.Events)
		room := max(20, l.width-len(head)-len(events))
		fmt.Fprintf(l.out, "%s%s%s\n", head, Clip(update.Text, room), events)
	}
	return l.out.Flush()
}

// describe says in a few words what happened to clusters.
func describe(events []starling.Event) string {
	var said []string
	for _, e := range events {
		switch e.Kind {
		case starling.Created:
			said = append(said, "new")
		case starling.Grew:
			said = append(said, fmt.Sprintf("now %d", e.Size))
		case starling.Merged:
			said = append(said, fmt.Sprintf("%s became part of %v", list(e.From), e.To))
		}
	}
	if len(said) == 0 {
		return ""
	}
	return "  [" + strings.Join(said, "; ") + "]"
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
