package store

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"strings"
)

// knownAtATime is how many buckets one query reads.
const knownAtATime = 32

// bucketsQuery reads knownAtATime buckets.
var bucketsQuery = "SELECT bucket, digests, checksum FROM ids WHERE bucket IN (?" + strings.Repeat(",?", knownAtATime-1) + ")"

// Known returns which of some document ids the state holds. It sees every
// commit that returned before the call. In a store opened for reading it is
// slow: it reads the documents that are not in the table yet.
func (s *Store) Known(ctx context.Context, ids []string) (map[string]bool, error) {
	known := make(map[string]bool)
	sought := make(map[digest][]string)
	for _, id := range ids {
		d := digestOf(id)
		switch {
		case s.writer != nil && s.writer.waiting.has(d):
			known[id] = true
		case s.writer == nil || s.writer.filter.mayHave(d):
			sought[d] = append(sought[d], id)
		}
	}
	// In that order, which is the other way round than the writer's: what was
	// indexed in between is in the filter and found in the table.
	found, err := s.among(ctx, sought)
	if err != nil {
		return nil, err
	}
	for _, d := range found {
		for _, id := range sought[d] {
			known[id] = true
		}
	}
	return known, nil
}

// among returns those of some digests that are in the table ids or, in a store
// opened for reading, in the journal only.
func (s *Store) among(ctx context.Context, sought map[digest][]string) ([]digest, error) {
	if len(sought) == 0 {
		return nil, nil
	}
	tx, p, err := s.view(ctx)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() //nolint:errcheck // it only read
	found, err := s.indexedAmong(ctx, tx, p, sought)
	if err != nil || s.writer != nil {
		return found, err
	}
	for update, err := range s.updatesBetween(ctx, tx, p.indexed+1, p.documents) {
		if err != nil {
			return nil, err
		}
		if d := digestOf(update.ID); sought[d] != nil {
			found = append(found, d)
		}
	}
	return found, nil
}

// indexedAmong returns those of some digests that are in the table ids.
func (s *Store) indexedAmong(ctx context.Context, tx *sql.Tx, p progress, sought map[digest][]string) ([]digest, error) {
	placed := make(map[int64][]digest)
	for d := range sought {
		b := d.bucket(buckets(p.indexed))
		placed[b] = append(placed[b], d)
	}
	var found []digest
	query := tx.StmtContext(ctx, s.buckets)
	for some := range slices.Chunk(slices.Sorted(maps.Keys(placed)), knownAtATime) {
		rows, err := query.QueryContext(ctx, padded(some)...)
		all, err := collect(s.path, rows, err, (*bucketRow).dest)
		if err != nil {
			return nil, err
		}
		if len(all) != len(some) {
			return nil, damaged(s.path, "a bucket of the ids is missing")
		}
		for i := range all {
			if err := all[i].check(s.path); err != nil {
				return nil, err
			}
			found = all[i].appendPresent(found, placed[all[i].bucket])
		}
	}
	return found, nil
}

// appendPresent appends to found those of some digests that the bucket holds.
func (r *bucketRow) appendPresent(found, some []digest) []digest {
	for _, d := range r.split() {
		if slices.Contains(some, d) {
			found = append(found, d)
		}
	}
	return found
}

// padded returns up to knownAtATime numbers as that many arguments, the first
// repeated.
func padded(numbers []int64) []any {
	arguments := make([]any, knownAtATime)
	for i := range arguments {
		arguments[i] = numbers[0]
		if i < len(numbers) {
			arguments[i] = numbers[i]
		}
	}
	return arguments
}
