package broker

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"starling/broker/feed"
)

// SourceOptions says how a source is opened.
type SourceOptions struct {
	// Consumer names the reader that the broker remembers the position of,
	// where the URL does not; empty for the broker's default. It is a consumer of
	// NATS or a consumer group of Kafka; the others have no such names.
	Consumer string
	// TokenFile holds the token that requests over HTTP must bring; empty for
	// none. See [httpsource.Config].
	TokenFile string
	// FileFormat says what is in a file, see [filesource.Format]; empty goes by its
	// name and beginning.
	FileFormat string
	// TextField is the column of a CSV or TSV file that holds the text; empty for
	// one that is named as texts usually are.
	TextField string
	// Follow has a file read on when it grows.
	Follow bool
	// Positions is the file that keeps how far files are read; empty for none.
	Positions string
}

// A Source delivers messages. Its methods may be called from many goroutines.
type Source struct {
	feed feed.Feed

	mu sync.Mutex
	// held are the messages received and neither acknowledged nor given back;
	// nil once the source is closed.
	held map[*Message]struct{}
}

// NewSource makes a source of a feed.
func NewSource(f feed.Feed) *Source {
	return &Source{feed: f, held: make(map[*Message]struct{})}
}

// OpenSource opens a source by URL. A broker that cannot be reached is an error
// within a few seconds; one that is lost later is waited for, see Receive.
func OpenSource(ctx context.Context, url string, options SourceOptions) (*Source, error) {
	scheme, err := find(url)
	if err != nil {
		return nil, err
	}
	if scheme.openSource == nil {
		return nil, errors.New("an https:// URL is somewhere to publish to; to take documents over HTTP, receive from http://HOST:PORT")
	}
	return scheme.openSource(ctx, url, options)
}

// Receive returns the next message, and waits for one until ctx is done; no
// message is lost by that. When the broker goes away it waits until the broker
// is back. The error wraps io.EOF when no message will come any more, as at the end
// of a file; any other is final too. A NATS source that is its consumer's only
// reader returns messages in the order of the stream, called from one goroutine;
// a Kafka source those of each partition in their order.
func (s *Source) Receive(ctx context.Context) (*Message, error) {
	if s.closed() {
		return nil, errClosed
	}
	inner, err := s.feed.Receive(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("receiving: %w", err)
	}
	m := &Message{
		ID: inner.ID, Body: inner.Body, Attributes: inner.Attributes, Time: inner.Time, Attempt: inner.Attempt,
		Bad:   inner.Bad,
		inner: inner, source: s,
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held != nil {
		s.held[m] = struct{}{}
	}
	return m, nil
}

var (
	errClosed   = errors.New("the source is closed")
	errNoSource = errors.New("an SNS topic has no messages to receive: subscribe an SQS queue to it and receive from that, awssqs://")
)

func (s *Source) closed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held == nil
}

func (s *Source) settled(m *Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.held, m)
}

// Backlog returns how many messages the broker holds for this source: those not
// yet delivered, and those delivered and not yet acknowledged. known is false
// where the broker cannot tell.
func (s *Source) Backlog(ctx context.Context) (n int64, known bool, err error) {
	n, known, err = s.feed.Backlog(ctx)
	if err != nil {
		return 0, false, fmt.Errorf("reading the backlog: %w", err)
	}
	return n, known, nil
}

// Close gives back the messages that are neither acknowledged nor given back,
// sends all acknowledgements, and frees the source. Receive fails from then on.
func (s *Source) Close(ctx context.Context) error {
	s.mu.Lock()
	held := s.held
	s.held = nil
	s.mu.Unlock()
	if held == nil {
		return errClosed
	}
	s.feed.Stop(ctx)
	for m := range held {
		m.Nack()
	}
	return s.feed.Close(ctx)
}
