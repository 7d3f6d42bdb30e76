package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"starling"
	"starling/dataset"
)

// A labelled is a document of the stream, with its label and its line in the input.
type labelled struct {
	starling.Document
	label string
	line  int64
}

// read reads the whole input. A text that no stream can hold is put aside, as a
// run would do; a line that cannot be read or has no label is an error.
func (c *evalCmd) read(ctx context.Context, std streams, aside *asides) ([]labelled, error) {
	collection, err := dataset.Open(ctx, dataset.Options{
		Name: c.Input, TextField: c.TextField, LabelField: c.LabelField, PlainLabels: c.Vectors == "", Stdin: std.in,
	})
	if err != nil {
		return nil, err
	}
	var stream []labelled
	for item, err := range collection.Items() {
		if err != nil {
			return nil, err
		}
		document, err := c.label(item)
		if err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", c.Input, item.Line, err)
		}
		if err := unfit(document.Text); err != nil && c.Vectors == "" {
			aside.add(item.Line, err)
			continue
		}
		stream = append(stream, document)
	}
	if len(stream) == 0 {
		return nil, fmt.Errorf("there are no labelled texts in %s", c.Input)
	}
	return stream, nil
}

// label makes a document of an item. With vectors, an item may be a label alone.
func (c *evalCmd) label(item dataset.Item) (labelled, error) {
	line := strconv.FormatInt(item.Line, 10)
	document := labelled{
		Document: starling.Document{ID: line, Text: item.Text, Time: item.Time},
		label:    item.Label,
		line:     item.Line,
	}
	switch {
	case item.Label != "":
		return document, nil
	case c.Vectors != "" && c.LabelField == "":
		document.label, document.Text = item.Text, "line "+line
		return document, nil
	case c.LabelField != "":
		return document, fmt.Errorf("the label field %q is empty or missing", c.LabelField)
	}
	return document, errors.New("no label; name the field that holds it with --label-field")
}

// unfit says why a text cannot be a document.
func unfit(text string) error {
	switch {
	case strings.TrimSpace(text) == "":
		return errors.New("the text is blank")
	case len(text) > starling.MaxTextBytes:
		return fmt.Errorf("the text is longer than %d bytes", starling.MaxTextBytes)
	case !utf8.ValidString(text):
		return errors.New("the text is not valid UTF-8")
	}
	return nil
}

// asides counts the documents that cannot be clustered, and names the first.
type asides struct {
	input string
	out   io.Writer
	count int
}

// namedAsides is how many are named.
const namedAsides = 5

func (a *asides) add(line int64, err error) {
	if a.count++; a.count <= namedAsides {
		complain(a.out, fmt.Errorf("%s, line %d was put aside: %w", a.input, line, err))
	}
}

func (a *asides) conclude() {
	if more := a.count - namedAsides; more > 0 {
		complain(a.out, fmt.Errorf("%d more documents of %s were put aside", more, a.input))
	}
}
