package wordpiece

import (
	"fmt"
	"math/bits"
	"slices"
)

// A trie finds the longest of its tokens that a text begins with. It is one
// open-addressed hash table of the edges, with linear probing: a node is the
// place of the edge that leads to it.
type trie struct {
	edges []edge // a power of two, half of them empty at least
	shift uint8  // 64 less the binary logarithm of that power
}

type edge struct {
	// key is the node before times 256, plus the byte, plus 1. It is 0 where
	// the place is empty.
	key uint32
	// token is the one that ends here, or noToken.
	token int32
}

const (
	noToken = -1
	// maxEdges keeps keys within 32 bits.
	maxEdges = 1 << 22
)

// newTrie returns a trie of tokens, none of which is empty. Of equal ones the
// first counts. A token's number is its index.
func newTrie(tokens []string) (trie, error) {
	edges := countEdges(tokens)
	if edges > maxEdges {
		return trie{}, fmt.Errorf("the vocabulary has too much text: %d prefixes, at most %d are supported", edges, maxEdges)
	}
	log := bits.Len(uint(2*edges + 1))
	t := trie{edges: make([]edge, 1<<log), shift: uint8(64 - log)}
	for i, token := range tokens {
		node := t.root()
		for _, b := range []byte(token) {
			node = t.insert(node, b)
		}
		if e := &t.edges[node]; e.token == noToken {
			e.token = int32(i)
		}
	}
	return t, nil
}

// countEdges returns the number of prefixes that tokens have.
func countEdges(tokens []string) int {
	sorted := slices.Sorted(slices.Values(tokens))
	edges, before := 0, ""
	for _, token := range sorted {
		edges += len(token) - commonPrefix(before, token)
		before = token
	}
	return edges
}

func commonPrefix(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// root is the node of the empty prefix.
func (t *trie) root() uint32 { return uint32(len(t.edges)) }

// nowhere is a node that no edge leaves.
func (t *trie) nowhere() uint32 { return uint32(len(t.edges)) + 1 }

// place returns where the edge from node by b is, or the empty place where it
// belongs.
func (t *trie) place(node uint32, b byte) (place, key uint32) {
	key = (node<<8 | uint32(b)) + 1
	place = uint32(uint64(key) * 0x9e3779b97f4a7c15 >> t.shift) // 2^64 / golden ratio
	for t.edges[place].key != key && t.edges[place].key != 0 {
		place = (place + 1) & uint32(len(t.edges)-1)
	}
	return place, key
}

func (t *trie) insert(node uint32, b byte) uint32 {
	place, key := t.place(node, b)
	if e := &t.edges[place]; e.key == 0 {
		*e = edge{key, noToken}
	}
	return place
}

// find returns the node of prefix, or nowhere.
func (t *trie) find(prefix string) uint32 {
	node := t.root()
	for _, b := range []byte(prefix) {
		place, _ := t.place(node, b)
		if t.edges[place].key == 0 {
			return t.nowhere()
		}
		node = place
	}
	return node
}

// longest returns the longest token that leads on from node along the beginning
// of text, and its length there. The length is 0 where there is none.
func longest[T string | []byte](t *trie, node uint32, text T) (token int32, length int) {
	for i := range len(text) {
		place, _ := t.place(node, text[i])
		e := t.edges[place]
		if e.key == 0 {
			break
		}
		if e.token != noToken {
			token, length = e.token, i+1
		}
		node = place
	}
	return token, length
}
