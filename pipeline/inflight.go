package pipeline

import "sync"

// inFlight knows what was received and is not yet acknowledged, and which ids
// were clustered and are not yet committed.
type inFlight struct {
	mu       sync.Mutex
	ids      map[string]struct{}
	messages int64
	received int64 // those acknowledged among them
}

func newInFlight() *inFlight { return &inFlight{ids: make(map[string]struct{})} }

func (f *inFlight) arrived() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.messages++
	f.received++
}

func (f *inFlight) add(ids []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, id := range ids {
		f.ids[id] = struct{}{}
	}
}

func (f *inFlight) among(ids []string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []string
	for _, id := range ids {
		if _, ok := f.ids[id]; ok {
			found = append(found, id)
		}
	}
	return found
}

func (f *inFlight) landed(ids []string, messages int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, id := range ids {
		delete(f.ids, id)
	}
	f.messages -= int64(messages)
}

// counts returns how many messages were received, and how many of them are not
// acknowledged yet.
func (f *inFlight) counts() (received, messages int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.received, f.messages
}

func (f *inFlight) empty() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.messages == 0
}
