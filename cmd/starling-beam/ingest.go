package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"starling"
	"starling/beam"
	"starling/dataset"
)

type ingestCmd struct {
	runFlags
	Topic     string   `required:"" help:"Where to publish: projects/P/topics/T, or nats://HOST:PORT/STREAM." placeholder:"TOPIC"`
	Dataset   string   `help:"sample, emotion, or a file (JSONL, CSV, TSV, Parquet or plain lines)." default:"sample" placeholder:"sample|emotion|FILE"`
	Data      string   `help:"Folder with the files of emotion." placeholder:"DIR" type:"path"`
	Split     string   `help:"Split of emotion." placeholder:"NAME"`
	Classes   []string `help:"Only texts of these classes, or all." placeholder:"CLASS"`
	Limit     int      `help:"At most that many texts; 0 for all." placeholder:"N"`
	TextField string   `help:"Field that holds the text; guessed from usual names." placeholder:"FIELD"`
	IDField   string   `help:"Field that holds the id of a text; without it every text gets a random UUID." placeholder:"FIELD"`
}

// Run publishes a collection.
func (c *ingestCmd) Run(ctx context.Context) error {
	documents, err := c.documents(ctx)
	if err != nil {
		return err
	}
	p, err := beam.Ingest(beam.IngestSettings{Documents: documents, To: c.Topic})
	if err != nil {
		return err
	}
	if err := c.run(ctx, p); err != nil || c.DryRun {
		return err
	}
	fmt.Fprintf(os.Stderr, "published %d messages to %s\n", len(documents), c.Topic)
	return beam.CloseTopics(ctx)
}

// documents reads the collection.
func (c *ingestCmd) documents(ctx context.Context) ([]starling.Document, error) {
	collection, err := dataset.Open(ctx, dataset.Options{
		Name: c.Dataset, Dir: c.Data, Split: c.Split, Classes: c.Classes, Limit: c.Limit,
		TextField: c.TextField, IDField: c.IDField,
	})
	if err != nil {
		return nil, err
	}
	var documents []starling.Document
	for item, err := range collection.Items() {
		var malformed *dataset.LineError
		if errors.As(err, &malformed) {
			complain(err, 0)
			continue
		}
		if err != nil {
			return nil, err
		}
		d := starling.Document{Text: item.Text}
		if c.IDField != "" {
			d.ID = item.ID
		}
		documents = append(documents, d)
	}
	return documents, nil
}
