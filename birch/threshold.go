package birch

import "fmt"

// SetThreshold sets the threshold that [Tree.Threshold] returns, within the bounds
// of Config.Threshold; an error leaves the tree as it was.
//
// A lower one holds for the vectors that come: entries stay as wide as they are. A
// higher one makes the tree rebuild itself, so that entries which would have been
// one from the start join, unless the new nodes would take more than MaxBytes; the
// merges are those of [Insertion]. The next overflow raises the threshold from the
// one set here.
func (t *Tree) SetThreshold(threshold float64) ([]Merge, error) {
	if err := t.config.validateThreshold(threshold); err != nil {
		return nil, fmt.Errorf("setting threshold: %w", err)
	}
	if threshold <= t.threshold {
		t.threshold = threshold
		return nil, nil
	}
	next, merges := t.regrown(threshold, features{})
	if next.hasTooManyNodes(0) {
		t.threshold = threshold
		return nil, nil
	}
	*t = *next
	return append(merges, t.retry()...), nil
}
