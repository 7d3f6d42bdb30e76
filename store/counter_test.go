package store_test

import "sync"

// A counter counts calls from several goroutines up to one that is to be.
type counter struct {
	mu        sync.Mutex
	n, chosen int
}

func newCounter(chosen int) *counter { return &counter{chosen: chosen} }

// next counts a call, and says whether it is the chosen one.
func (c *counter) next() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	return c.n-1 == c.chosen
}

// reached says whether the chosen call came.
func (c *counter) reached() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n > c.chosen
}
