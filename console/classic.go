package console

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"

	"starling"
)

// Classic prints after each update what Apache Beam's Python example of online
// clustering prints: the number of the update, then every label with the texts
// and ids of its documents. Labels are the permanent cluster ids.
//
// Its cost and memory grow with all documents seen; it is for comparing and
// for teaching, not for running a service. earlier yields the documents of the
// state with the clusters they are in now.
func Classic(w io.Writer, earlier iter.Seq2[starling.Update, error]) (UpdatePrinter, error) {
	c := &classic{out: bufio.NewWriter(w), members: make(map[starling.ClusterID][]member)}
	for update, err := range earlier {
		if err != nil {
			return nil, err
		}
		c.add(update)
	}
	return c, nil
}

type classic struct {
	out     *bufio.Writer
	members map[starling.ClusterID][]member
}

type member struct {
	ID   string `json:"id"`
	Text string `json:"text"`
	seq  int64
}

func (c *classic) add(update starling.Update) {
	c.members[update.Cluster] = append(c.members[update.Cluster], member{ID: update.ID, Text: update.Text, seq: update.Seq})
}

func (c *classic) Print(updates []starling.Update) error {
	for _, update := range updates {
		c.merge(update.Events)
		c.add(update)
		if err := c.print(update.Seq); err != nil {
			return err
		}
	}
	return c.out.Flush()
}

func (c *classic) merge(events []starling.Event) {
	for _, e := range events {
		if e.Kind != starling.Merged {
			continue
		}
		for _, from := range e.From {
			c.members[e.To] = append(c.members[e.To], c.members[from]...)
			delete(c.members, from)
		}
		slices.SortFunc(c.members[e.To], func(a, b member) int { return cmp.Compare(a.seq, b.seq) })
	}
}

func (c *classic) print(number int64) error {
	fmt.Fprintf(c.out, "Update Number: %d:::\n\n", number)
	for _, label := range slices.Sorted(maps.Keys(c.members)) {
		fmt.Fprintf(c.out, "%v: ", label)
		if err := WriteJSON(c.out, c.members[label]); err != nil {
			return err
		}
	}
	_, err := io.WriteString(c.out, "\n\n\n\n")
	return err
}
