package store

import (
	"context"
	"strings"
)

// knownAtATime is how many ids one query looks up.
const knownAtATime = 32

// knownQuery returns those of knownAtATime digests that are in the table.
var knownQuery = "SELECT digest FROM ids WHERE digest IN (?" + strings.Repeat(",?", knownAtATime-1) + ")"

// Known returns which of some document ids the state holds. It sees every
// commit that returned before the call, in the store that made it; a store
// opened for reading sees those that the tables hold, which lag behind.
func (s *Store) Known(ctx context.Context, ids []string) (map[string]bool, error) {
	known := make(map[string]bool)
	open := make(map[digest][]string)
	for _, id := range ids {
		d := digestOf(id)
		switch {
		case s.writer != nil && s.writer.waiting.has(d):
			known[id] = true
		case s.writer == nil || s.writer.filter.mayHave(d):
			open[d] = append(open[d], id)
		}
	}
	// In that order, which is the other way round than the writer's: what was
	// indexed in between is in the filter and found in the table.
	found, err := s.indexedAmong(ctx, open)
	if err != nil {
		return nil, err
	}
	for _, d := range found {
		for _, id := range open[d] {
			known[id] = true
		}
	}
	return known, nil
}

// indexedAmong returns those of some digests that are in the table ids.
func (s *Store) indexedAmong(ctx context.Context, digests map[digest][]string) ([]digest, error) {
	var found []digest
	arguments := make([]any, 0, knownAtATime)
	for d := range digests {
		if arguments = append(arguments, d[:]); len(arguments) < knownAtATime {
			continue
		}
		some, err := s.lookUp(ctx, arguments)
		if err != nil {
			return nil, err
		}
		found, arguments = append(found, some...), arguments[:0]
	}
	if len(arguments) == 0 {
		return found, nil
	}
	for len(arguments) < knownAtATime {
		arguments = append(arguments, arguments[0])
	}
	some, err := s.lookUp(ctx, arguments)
	return append(found, some...), err
}

func (s *Store) lookUp(ctx context.Context, digests []any) ([]digest, error) {
	rows, err := s.known.QueryContext(ctx, digests...)
	found, err := collect(s.path, rows, err, func(b *[]byte) []any { return []any{b} })
	if err != nil {
		return nil, err
	}
	return toDigests(s.path, found)
}

func toDigests(path string, blobs [][]byte) ([]digest, error) {
	all := make([]digest, len(blobs))
	for i, b := range blobs {
		if len(b) != len(digest{}) {
			return nil, damaged(path, "the table of ids holds something else")
		}
		all[i] = digest(b)
	}
	return all, nil
}
