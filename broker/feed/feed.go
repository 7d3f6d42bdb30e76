// Package feed is what a source of documents is that no broker stands behind,
// such as a file or requests over HTTP. It hands out messages itself, and hears of
// each what became of it:
//
//	message, err := source.Receive(ctx)
//	message.Settle(&feed.Outcome{Document: id, Seq: 1}) // or nil, to give it back
//
// Package broker makes a source of a Feed.
package feed

import (
	"context"
	"time"

	"starling"
)

// FormatAttribute is the attribute of a message that says how its body is to be
// read: [Text] or [JSON]. It does not become an attribute of the document.
const FormatAttribute = "starling.format"

// The values of FormatAttribute.
const (
	Text = "text"
	JSON = "json"
)

// A Feed hands out messages. Its methods may be called from many goroutines.
type Feed interface {
	// Receive returns the next message and waits for one until ctx is done. The
	// error is io.EOF when none will come any more; any error but that of ctx is
	// final.
	Receive(ctx context.Context) (*Message, error)
	// Backlog returns how many messages are held that are not settled; known is
	// false where that cannot be told.
	Backlog(ctx context.Context) (n int64, known bool, err error)
	// Stop hands out no more messages from now on. It is called once, before
	// what was handed out and is not settled is given back.
	Stop(ctx context.Context)
	// Close frees the feed. It is called once, after Stop, when everything that
	// was handed out is settled.
	Close(ctx context.Context) error
}

// A Message is one message handed out.
type Message struct {
	// ID is the feed's own name of the message. When it comes again it has the
	// same.
	ID string
	// Body and Attributes belong to the receiver.
	Body       []byte
	Attributes map[string]string
	// Time is when the message came, in UTC; zero for unknown.
	Time time.Time
	// Attempt counts the deliveries, this one included; 0 for unknown.
	Attempt int
	// Bad says why the message cannot be a document, where the feed knows; nil
	// where it does not.
	Bad error
	// Settle is called once, with what became of the message once that is
	// durable, or with nil when it is given back.
	Settle func(*Outcome)
}

// An Outcome is what became of a message that is done with.
type Outcome struct {
	// Document is the id of the document, as far as the message has one.
	Document string
	// Seq is the number of the document's update, or 0 where the document was in
	// the state before.
	Seq int64
	// Assignment is where the document was put, with Seq.
	starling.Assignment
	// Reason is why the message was put aside, or empty.
	Reason string
}
