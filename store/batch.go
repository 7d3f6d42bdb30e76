package store

import (
	"fmt"
	"math"
	"time"

	"starling"
)

// A Batch is what one transaction appends to a state.
type Batch struct {
	// Records are the next documents of the journal, by rising Seq without
	// gaps. The caller has made sure that their ids are new: see [Store.Known].
	Records     []Record
	DeadLetters []DeadLetter
	// Settled are the numbers of dead letters that leave, since they were dealt
	// with.
	Settled []int64
	// Edits are the next edits, by rising Number without gaps, all of them made
	// after the last of Records. Those that delete documents are of a batch
	// without Records, and with a Snapshot: the text, the attributes and the
	// embedding of such a document are gone then. See [Store.Scrub].
	Edits []EditRecord
	// Snapshot takes the place of the older ones but one, or, where documents are
	// deleted, of them all; nil for none.
	Snapshot *Snapshot
}

// A Record is one document as the journal holds it.
type Record struct {
	// Update holds the document, where it was put, and what that changed. Its
	// time, if any, is of the years 1678 to 2262.
	starling.Update
	// Embedding is the document's vector, of the dimension that the state was
	// created with.
	Embedding []float32
}

// A Snapshot is the clustering after the document Seq. The store does not read
// Data.
type Snapshot struct {
	Seq  int64
	Data []byte
}

// A DeadLetter is a message that could not be processed, and why.
type DeadLetter struct {
	// Number counts the dead letters of a state from 1. A new one has none, 0: it
	// gets the next. One that the state has gets another Reason.
	Number int64
	// MessageID is the broker's name of the message, or empty where it has
	// none. Of two dead letters with one MessageID the first is kept.
	MessageID string
	// DocumentID is the id of the document, as far as it could be used.
	DocumentID string
	Reason     string
	// Body is the message's, its first [MaxBodyBytes] where it is longer.
	Body       []byte
	Attributes map[string]string
	// Time is left out unless it is of the years 1678 to 2262.
	Time time.Time
}

// maxBatch bounds the records of one batch, so that a transaction stays small.
const maxBatch = 1 << 16

// validate says what is wrong with a batch that is to follow what there is.
func (b Batch) validate(p progress, dim int) error {
	last := p.documents
	if len(b.Records) > maxBatch {
		return fmt.Errorf("%d records, want at most %d", len(b.Records), maxBatch)
	}
	for i, r := range b.Records {
		if want := last + 1 + int64(i); r.Seq != want {
			return fmt.Errorf("record %d has number %d, want %d", i, r.Seq, want)
		}
		if len(r.Embedding) != dim {
			return fmt.Errorf("document %q has an embedding of %d values, want %d", r.ID, len(r.Embedding), dim)
		}
		if r.Micro == 0 {
			return fmt.Errorf("document %q is of no micro-cluster", r.ID)
		}
		if math.IsNaN(float64(r.Similarity)) {
			return fmt.Errorf("document %q has a similarity that is not a number", r.ID)
		}
		if !isStorable(r.Time) {
			return fmt.Errorf("document %q has the time %v, want one of the years 1678 to 2262", r.ID, r.Time)
		}
	}
	end := last + int64(len(b.Records))
	for i, e := range b.Edits {
		if want := p.edits + 1 + int64(i); e.Number != want || e.Seq != end {
			return fmt.Errorf("edit %d after document %d, want %d after %d", e.Number, e.Seq, want, end)
		}
	}
	if s := b.Snapshot; s != nil && (s.Seq < 0 || s.Seq > end) {
		return fmt.Errorf("a snapshot of document %d, the journal ends at %d", s.Seq, end)
	}
	return b.validateDeletions(p.dropped, last)
}
