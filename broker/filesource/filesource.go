// Package filesource reads documents from a file or from standard input. It is a
// feed:
//
//	file, err := filesource.Open(filesource.Config{Path: "tickets.csv"})
//	source := broker.NewSource(file)
//
// # What is in a file
//
// CSV and TSV have a header line; a row becomes a JSON object of the columns. Files
// of JSON lines have an object or a string a line, others a text a line; blank
// lines are passed over. The name says which it is (.csv, .tsv, .jsonl, .ndjson),
// or else the first line, which begins with { in JSON lines. What is packed with
// gzip or Zstandard is unpacked. A row that cannot be read becomes a message that
// says so, and the reading goes on behind it.
//
// # Ids
//
// A message is called NAME:LINE:HASH, where the hash is of all that was read up to
// the end of its line. So a file that is read again, or the same input that is piped
// in again, gives the same ids; other content gives others, though it stands at the
// same place.
//
// # Positions
//
// With Config.Positions, how far a file is settled is kept in that file, and the
// reading goes on there. When its beginning is not what it was, it is another file
// and read from its start. What was settled in the last second before a crash
// comes again, with the same ids.
//
// # Following
//
// With Config.Follow the source waits at the end for more. A line counts when its
// end has come. When the path names another file, as after the rotation of a log, or
// a file that has shrunk, what is left of the old one is read and then the new one
// from its start. Of a log that was rotated while nobody read, what is left of the old
// file is read first, where that lies beside the new one under a longer name, such as
// app.log.1, and is not packed. A second rotation before that is not made up for.
package filesource

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"starling/broker/feed"
)

// Stdin is the path of standard input.
const Stdin = "-"

// Config says what to read.
type Config struct {
	// Path is that of the file, or Stdin.
	Path string
	// Stdin is read for the path Stdin; Close does not wait for a read of it that
	// does not return.
	Stdin io.Reader
	// Format is what is in the file; empty goes by its name and its beginning.
	Format Format
	// TextColumn is the column of CSV and TSV that holds the text; empty for one
	// that is named as texts usually are, which is then called text.
	TextColumn string
	// Follow waits for more at the end. Only regular files that are not packed
	// can be followed.
	Follow bool
	// Positions is the file that keeps the positions of regular files; empty for
	// none.
	Positions string
}

// saveEvery is how often the position is written down.
const saveEvery = time.Second

// A Source is the feed of a file.
type Source struct {
	config    Config
	positions *positions // nil where none are kept

	records chan *record  // closed by the reading goroutine when there are no more
	failed  error         // why, or nil at the end of the file; set before records is closed
	stop    chan struct{} // closed by Stop
	busy    sync.WaitGroup
	// interruptible says whether the reading ends soon after Stop: that of a
	// regular file.
	interruptible bool

	// reading is the file that is read; it belongs to the reading goroutine.
	reading *generation

	order order
}

// Open opens the file and begins to read it. It fails where the file cannot be read
// or, for CSV and TSV, has no column that is the text.
func Open(c Config) (*Source, error) {
	s := &Source{config: c, records: make(chan *record, 256), stop: make(chan struct{}), order: newOrder()}
	first, err := s.first()
	if err != nil {
		return nil, err
	}
	s.interruptible = first.regular()
	s.busy.Go(func() { s.read(first) })
	if s.positions != nil {
		s.busy.Go(s.keepPositions)
	}
	return s, nil
}

// Check says whether the file could be opened. It reads nothing of standard input
// and writes nothing.
func Check(c Config) error {
	if c.Path == Stdin {
		return c.check()
	}
	s := &Source{config: c, stop: make(chan struct{}), order: newOrder()}
	first, err := s.first()
	if err != nil {
		return err
	}
	return first.close()
}

// first opens the file where its reading is to go on.
func (s *Source) first() (*generation, error) {
	if err := s.config.check(); err != nil {
		return nil, err
	}
	if s.config.Path == Stdin {
		return &generation{name: "stdin", config: s.config, stop: s.stop}, nil
	}
	var at position
	if s.config.Positions != "" {
		var err error
		if s.positions, err = openPositions(s.config.Positions, s.config.Path); err != nil {
			return nil, err
		}
		at = s.positions.saved
	}
	g, err := open(s.config, at, s.stop)
	if err != nil {
		return nil, err
	}
	if !g.regular() {
		s.positions = nil
	}
	return g, nil
}

var errStopped = errors.New("the source is closed")

// Receive implements [feed.Feed]. At the end of the file it waits until all that it
// handed out is settled, for what is given back comes again; then the error is
// io.EOF.
func (s *Source) Receive(ctx context.Context) (*feed.Message, error) {
	records := s.records
	for {
		select {
		case <-s.stop:
			return nil, errStopped
		default:
		}
		if r := s.order.returned(); r != nil {
			return s.message(r), nil
		}
		if records == nil && s.order.empty() {
			if s.failed != nil {
				return nil, s.failed
			}
			return nil, io.EOF
		}
		select {
		case r, ok := <-records:
			if ok {
				return s.message(r), nil
			}
			records = nil
		case <-s.order.changed:
		case <-s.stop:
			return nil, errStopped
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (s *Source) message(r *record) *feed.Message {
	r.attempt++
	return &feed.Message{
		ID: r.id, Body: r.body, Attributes: map[string]string{feed.FormatAttribute: r.format},
		Attempt: r.attempt, Bad: r.bad,
		Settle: func(o *feed.Outcome) {
			if o == nil {
				s.order.giveBack(r)
			} else {
				s.order.settle(r)
			}
		},
	}
}

// Backlog implements [feed.Feed]: how many documents are in the rest of a file is
// not known.
func (s *Source) Backlog(context.Context) (int64, bool, error) { return 0, false, nil }

// Stop implements [feed.Feed].
func (s *Source) Stop(context.Context) { close(s.stop) }

// Close implements [feed.Feed]. It writes the position down.
func (s *Source) Close(context.Context) error {
	if !s.interruptible {
		s.order.close()
		return nil
	}
	s.busy.Wait()
	err := s.savePosition()
	s.order.close()
	_ = s.reading.close() // it was read only
	return err
}

// keepPositions writes the position down now and then.
func (s *Source) keepPositions() {
	tick := time.NewTicker(saveEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_ = s.savePosition() // Close says it; until then the old one costs reading again
		case <-s.stop:
			return
		}
	}
}

func (s *Source) savePosition() error {
	if s.positions == nil {
		return nil
	}
	last := s.order.settled()
	if last == nil {
		return nil
	}
	return s.positions.save(last)
}
