package filesource

import "sync"

// An order knows which records were read and what became of them, so that the
// position of the file stays before the first that is not settled.
type order struct {
	// changed has a value when a record may have been given back, or the last one
	// settled.
	changed chan struct{}

	mu sync.Mutex
	// pending are the records from the first on that is not settled, in the order
	// of the file.
	pending []*record
	// back are those that were given back and not handed out again.
	back []*record
	// last is the record before the first that is not settled, or the start of its
	// file; it is not changed, but for another one put in its place.
	last *record
}

func newOrder() order { return order{changed: make(chan struct{}, 1)} }

// begin notes that another file is read, of which a position is known as soon as
// all before it is settled.
func (o *order) begin(start *record) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.pending) == 0 {
		o.moveTo(start)
	}
}

// add notes a record that is read.
func (o *order) add(r *record) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pending = append(o.pending, r)
	if o.last != nil && o.last.from == r.from && o.last.headBytes < r.headBytes {
		known := *o.last // by more than before
		known.head, known.headBytes = r.head, r.headBytes
		o.last = &known
	}
}

// settle notes that a record is done with.
func (o *order) settle(r *record) {
	o.mu.Lock()
	defer o.mu.Unlock()
	r.settled = true
	for len(o.pending) > 0 && o.pending[0].settled {
		o.moveTo(o.pending[0])
		o.pending[0] = nil
		o.pending = o.pending[1:]
	}
	if len(o.pending) == 0 {
		o.tell()
	}
}

// moveTo makes r the last of those that are settled, and closes the file before
// its own, of which nothing is open any more.
func (o *order) moveTo(r *record) {
	if o.last != nil && o.last.from != r.from {
		_ = o.last.from.close() // it was read only
	}
	o.last = r
}

// giveBack has a record handed out again.
func (o *order) giveBack(r *record) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.back = append(o.back, r)
	o.tell()
}

// returned returns a record that was given back, or nil.
func (o *order) returned() *record {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.back) == 0 {
		return nil
	}
	r := o.back[0]
	if o.back = o.back[1:]; len(o.back) > 0 {
		o.tell() // another one may wait for it
	}
	return r
}

// empty says whether all that was read is settled. It has others look as well.
func (o *order) empty() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.pending) > 0 {
		return false
	}
	o.tell()
	return true
}

func (o *order) tell() {
	select {
	case o.changed <- struct{}{}:
	default:
	}
}

// settled returns the record that the position is behind, or nil.
func (o *order) settled() *record {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.last
}

// close closes the files of what is not settled.
func (o *order) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.last != nil {
		_ = o.last.from.close()
	}
	for _, r := range o.pending {
		_ = r.from.close()
	}
}
