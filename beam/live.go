package beam

import (
	"container/list"
	"sync"
)

// mostLive bounds the machines that a worker keeps. A worker that serves more keys
// than that brings back one for another, so that it is slow and not out of memory.
const mostLive = 64

// live holds the machines of this process.
var live = liveMachines{entries: make(map[liveKey]*list.Element), order: list.New()}

// liveMachines keeps the machines used last. One that is taken is gone until it is
// put back, so no two bundles work on the same, and one that met an error is
// forgotten.
type liveMachines struct {
	mu      sync.Mutex
	entries map[liveKey]*list.Element
	order   *list.List // of *liveEntry, that used last in front
}

type liveKey struct{ step, key string }

type liveEntry struct {
	liveKey
	liveMachine
}

// A liveMachine is a machine and the digest of all its entries.
type liveMachine struct {
	version digest
	machine any
}

func (l *liveMachines) take(step, key string) (liveMachine, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	element, ok := l.entries[liveKey{step, key}]
	if !ok {
		return liveMachine{}, false
	}
	delete(l.entries, liveKey{step, key})
	return l.order.Remove(element).(*liveEntry).liveMachine, true
}

func (l *liveMachines) put(step, key string, m liveMachine) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := liveKey{step, key}
	if element, ok := l.entries[k]; ok {
		l.order.Remove(element)
	}
	l.entries[k] = l.order.PushFront(&liveEntry{k, m})
	if l.order.Len() > mostLive {
		oldest := l.order.Remove(l.order.Back()).(*liveEntry)
		delete(l.entries, oldest.liveKey)
	}
}
