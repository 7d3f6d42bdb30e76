package cluster

import "unicode/utf8"

// maxExemplarBytes bounds the text kept of a representative document.
const maxExemplarBytes = 1024

// exemplarDecay is what an exemplar keeps of its similarity with each document
// that joins: about half after 140, so that a long-lived cluster shows a text
// that is both typical and recent.
const exemplarDecay = 0.995

// An exemplar is the representative text of a cluster.
type exemplar struct {
	text string
	// similarity is that of the text when it came, decayed since.
	similarity float32
}

// offer considers the text of the document that made the cluster grow to size.
func (e *exemplar) offer(text string, similarity float32, size int64) {
	switch {
	case size == 1:
		*e = exemplar{text: shorten(text), similarity: similarity}
	case size == 2:
		// Two vectors of one length are equally far from their mean: the first stays.
		e.similarity = similarity
	case similarity > e.similarity*exemplarDecay:
		*e = exemplar{text: shorten(text), similarity: similarity}
	default:
		e.similarity *= exemplarDecay
	}
}

// shorten cuts a text to maxExemplarBytes, between characters.
func shorten(text string) string {
	if len(text) <= maxExemplarBytes {
		return text
	}
	const ellipsis = "…"
	end := maxExemplarBytes - len(ellipsis)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + ellipsis
}
