package console

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"

	"starling"
	"starling/lineage"
)

// Classic prints after each update what Apache Beam's Python example of online
// clustering prints: the number of the update, then every label with the texts
// and ids of its documents. Labels are the permanent cluster ids.
//
// Its cost and memory grow with all documents seen; it is for comparing and
// for teaching, not for running a service. earlier yields the documents of the
// state with the micro-clusters and the clusters they are in now.
func Classic(w io.Writer, earlier iter.Seq2[starling.Update, error]) (UpdatePrinter, error) {
	c := &classic{out: bufio.NewWriter(w), lineage: lineage.New()}
	for update, err := range earlier {
		if err != nil {
			return nil, err
		}
		c.lineage.Place(update.Micro, update.Cluster)
		c.add(update)
	}
	return c, nil
}

type classic struct {
	out *bufio.Writer
	// documents are all so far, in the order they came; where they are now,
	// lineage knows.
	documents []document
	lineage   *lineage.Lineage
}

type document struct {
	ID    string `json:"id"`
	Text  string `json:"text"`
	micro starling.MicroID
}

func (c *classic) add(update starling.Update) {
	c.documents = append(c.documents, document{ID: update.ID, Text: update.Text, micro: update.Micro})
}

func (c *classic) Print(updates []starling.Update) error {
	for _, update := range updates {
		c.lineage.Follow(update)
		c.add(update)
		if err := c.print(update.Seq); err != nil {
			return err
		}
	}
	return c.out.Flush()
}

func (c *classic) print(number int64) error {
	labels := make(map[starling.ClusterID][]document)
	for _, d := range c.documents {
		cluster := c.lineage.ClusterOf(d.micro)
		labels[cluster] = append(labels[cluster], d)
	}
	fmt.Fprintf(c.out, "Update Number: %d:::\n\n", number)
	for _, label := range slices.Sorted(maps.Keys(labels)) {
		fmt.Fprintf(c.out, "%v: ", label)
		if err := WriteJSON(c.out, labels[label]); err != nil {
			return err
		}
	}
	_, err := io.WriteString(c.out, "\n\n\n\n")
	return err
}
