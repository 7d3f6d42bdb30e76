// Package dataset reads labelled text collections, one item at a time: the
// sample that comes with the program, the emotion collection, and files of
// JSON lines, CSV, TSV, Parquet or plain lines.
//
//	c, err := dataset.Open(ctx, dataset.Options{Name: "reviews.csv.gz"})
//	for item, err := range c.Items() {
//		var bad *dataset.LineError
//		if errors.As(err, &bad) { // one bad line: report it and go on
//			continue
//		}
//	}
//
// Nothing but the current line, or the current pages of a Parquet file, is held
// in memory, so a file may be of any size.
//
// The sample holds short messages about everyday life, each with an emotion
// and a theme. They were written for this project and are under its licence,
// Apache-2.0.
package dataset

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"
)

// An Item is one text of a collection.
type Item struct {
	// ID is the collection's own name for the text, "" where it has none.
	ID string
	// Text is as the collection has it: it may be empty, of any length up to
	// that of a line, and, except from JSON, not UTF-8.
	Text string
	// Label is the text's class, "" where it has none. Options.Classes
	// chooses by it.
	Label string
	// Theme is a second label, which the sample has.
	Theme string
	// Time is when the text was written, zero where the collection does not say.
	Time time.Time
	// Line is where the item begins in its file, counted as in a [LineError].
	Line int64
}

// A LineError is a line, row or record that is not an item. The items after it
// can be read.
type LineError struct {
	File string
	Line int64 // from 1; the row in a Parquet file, the element in a JSON array
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("%s, line %d: %v", e.File, e.Line, e.Err) }

// Unwrap returns what is wrong with the line.
func (e *LineError) Unwrap() error { return e.Err }

// The collections that have a name.
const (
	Sample  = "sample"
	Emotion = "emotion"
)

// All is the split, or the only class, that asks for every one of them.
const All = "all"

// Options says which collection to open and which of its items to read.
type Options struct {
	// Name is "sample", "emotion", the path of a file, or "-" for standard
	// input. A file called sample is opened as ./sample.
	Name string
	// Dir is the folder of the emotion collection. If it is empty the
	// collection is taken from the user's cache, and downloaded into it when
	// it is not there yet.
	Dir string
	// Split is train, validation, test or all; emotion alone has splits. The
	// default is train.
	Split string
	// Classes are the labels to keep. The default is all, for emotion joy,
	// love and fear.
	Classes []string
	// Limit is the largest number of items to read, 0 for no limit.
	Limit int
	// Format is the form of a file whose name and content do not say it.
	Format Format
	// PlainLabels reads plain lines as [TextLabel] where Format does not say
	// what they are.
	PlainLabels bool
	// TextField, LabelField, IDField and TimeField name columns of a table or
	// keys of JSON objects. The first three are guessed from the usual names
	// if empty. Times are RFC 3339 or Unix times in seconds.
	TextField, LabelField, IDField, TimeField string
	// Stdin is what "-" reads, the standard input of the process if nil.
	Stdin io.Reader
	// Progress, if not nil, is called during a download with the bytes done
	// and the bytes known to be coming, which grow with every file begun.
	Progress func(done, total int64)
}

func (o Options) plainLabels() bool { return o.PlainLabels && o.Format == Auto }

func (o Options) fields() fields {
	return fields{text: o.TextField, label: o.LabelField, id: o.IDField, when: o.TimeField}
}

// A Collection is a collection that was found and can be read.
type Collection struct {
	// Name is the name it was opened by.
	Name string
	// Total is how many items there will be, bad lines not counted, or 0 if
	// only reading it would tell.
	Total int64

	sources []source
	classes []string // the labels to keep; nil for all
	asked   bool     // the classes were asked for, so each must be there
	limit   int
}

// Open finds the collection that o asks for. It reads a small file once to
// count the items and of any other file the first item, so that wrong field
// names and unknown classes are found early. ctx bounds a download.
func Open(ctx context.Context, o Options) (*Collection, error) {
	if o.Name == "" {
		return nil, errors.New("no collection named; there are sample, emotion, a file's path and -")
	}
	if o.Limit < 0 {
		return nil, fmt.Errorf("a limit of %d items is below 0", o.Limit)
	}
	c := &Collection{Name: o.Name, classes: o.Classes, asked: len(o.Classes) > 0, limit: o.Limit}
	if err := c.find(ctx, o); err != nil {
		return nil, fmt.Errorf("opening collection %s: %w", o.Name, err)
	}
	if len(c.classes) == 1 && c.classes[0] == All {
		c.classes = nil
	}
	if err := c.probe(); err != nil {
		return nil, fmt.Errorf("opening collection %s: %w", o.Name, err)
	}
	return c, nil
}

func (c *Collection) find(ctx context.Context, o Options) error {
	if o.Name == Emotion {
		return c.findEmotion(ctx, o)
	}
	if o.Split != "" && o.Split != All {
		return fmt.Errorf("unknown split %q; the only one is %s", o.Split, All)
	}
	var s source
	var err error
	switch o.Name {
	case Sample:
		s, err = sampleSource(o)
	case "-":
		s, err = stdinSource(o)
	default:
		s, err = fileSource(o.Name, o)
	}
	c.sources = []source{s}
	return err
}

// Items returns the items in the collection's order. A line that is no item
// yields a *[LineError] and reading goes on; any other error is the last thing
// yielded. A file is opened anew each time; standard input can be read once.
func (c *Collection) Items() iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		keep := newFilter(c.classes)
		n := 0
		for item, err := range c.all() {
			if err == nil && !keep.item(item) {
				continue
			}
			if !yield(item, err) || !passable(err) {
				return
			}
			if err != nil {
				continue
			}
			if n++; n == c.limit {
				return
			}
		}
		if err := keep.missing(); err != nil && c.asked {
			yield(Item{}, fmt.Errorf("%s: %w", c.Name, err))
		}
	}
}

// all yields the items of every source, whatever their class, and ends after
// an error that is not about one line.
func (c *Collection) all() iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		for _, s := range c.sources {
			for item, err := range s.items() {
				if !yield(item, err) || !passable(err) {
					return
				}
			}
		}
	}
}

// passable says whether there may be items after err.
func passable(err error) bool {
	var line *LineError
	return err == nil || errors.As(err, &line)
}
