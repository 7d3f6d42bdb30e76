package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"

	"starling"
)

// A member is a row of the table members: a document of a micro-cluster. The
// rows have no checksum each; the table micros has one of all those of a
// micro-cluster, and a row that is missing shows in it too.
type member struct{ micro, seq int64 }

func (m *member) dest() []any { return []any{&m.micro, &m.seq} }

// sum is what a member adds to the checksum of its micro-cluster.
func (m member) sum() int64 { return int64(sumOf(m.seq, nil)) }

const (
	insertMember = "INSERT INTO members (micro, seq) VALUES (?,?)"
	addMembers   = "UPDATE micros SET members = members + ? WHERE micro = ?"
)

// enterMembers adds what arrived to the table.
func enterMembers(ctx context.Context, tx *sql.Tx, path string, arrived []arrival) error {
	slices.SortFunc(arrived, func(a, b arrival) int { return cmp.Or(cmp.Compare(a.micro, b.micro), cmp.Compare(a.seq, b.seq)) })
	insert, err := tx.Prepare(insertMember)
	if err != nil {
		return err
	}
	defer insert.Close() //nolint:errcheck // the transaction ends with it
	sums := make(map[int64]int64)
	for _, a := range arrived {
		if err := ctx.Err(); err != nil {
			return err
		}
		if a.micro == 0 {
			continue // it was deleted while it waited
		}
		if _, err := insert.Exec(a.micro, a.seq); err != nil {
			return err
		}
		sums[a.micro] += a.sum()
	}
	return addSums(ctx, tx, path, sums)
}

// addSums adds to the checksums of the members of micro-clusters.
func addSums(ctx context.Context, tx *sql.Tx, path string, sums map[int64]int64) error {
	add, err := tx.Prepare(addMembers)
	if err != nil {
		return err
	}
	defer add.Close() //nolint:errcheck // the transaction ends with it
	for micro, sum := range sums {
		if err := ctx.Err(); err != nil {
			return err
		}
		result, err := add.Exec(sum, micro)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n != 1 {
			return cmp.Or(err, damaged(path, fmt.Sprintf("micro-cluster %d is missing", micro)))
		}
	}
	return nil
}

// readMembers returns the documents of a cluster that the table of members
// holds, in the order they came, and the micro-clusters that were ever part of
// it, each with the one that it is part of now.
func readMembers(ctx context.Context, tx *sql.Tx, path string, cluster starling.ClusterID) ([]member, map[int64]int64, error) {
	micros, whole, err := microsOf(ctx, tx, path, cluster)
	if err != nil {
		return nil, nil, err
	}
	rows, err := tx.QueryContext(ctx, selectMembers, int64(cluster))
	members, err := collect(path, rows, err, (*member).dest)
	if err != nil {
		return nil, nil, err
	}
	sums := make(map[int64]int64)
	for _, m := range members {
		sums[m.micro] += m.sum()
	}
	for _, m := range micros {
		if sums[m.micro] != m.members {
			return nil, nil, damaged(path, fmt.Sprintf("the members of micro-cluster %d do not match their checksum", m.micro))
		}
	}
	return members, whole, nil
}

// microsOf returns the micro-clusters that were ever part of a cluster, and what
// each is part of now.
func microsOf(ctx context.Context, tx *sql.Tx, path string, cluster starling.ClusterID) ([]micro, map[int64]int64, error) {
	rows, err := tx.QueryContext(ctx, selectClusterMicros, int64(cluster))
	micros, err := collect(path, rows, err, (*micro).dest)
	whole := make(map[int64]int64, len(micros))
	for _, m := range micros {
		whole[m.micro] = m.whole
	}
	return micros, whole, err
}

// readSomeMembers is readMembers for the first ones after a document, up to limit.
// It reads no more than that, so it does not see whether others are missing; and
// where there may be more, it returns no more micro-clusters than those have.
func readSomeMembers(
	ctx context.Context, tx *sql.Tx, path string, cluster starling.ClusterID, after int64, limit int,
) ([]member, map[int64]int64, error) {
	type placedMember struct {
		member
		whole int64
	}
	rows, err := tx.QueryContext(ctx, selectSomeMembers, int64(cluster), after, limit)
	some, err := collect(path, rows, err, func(m *placedMember) []any { return []any{&m.micro, &m.whole, &m.seq} })
	if err != nil {
		return nil, nil, err
	}
	members, whole := make([]member, len(some)), make(map[int64]int64)
	for i, m := range some {
		members[i] = m.member
		whole[m.micro] = m.whole
	}
	if len(some) < limit {
		_, whole, err = microsOf(ctx, tx, path, cluster)
	}
	return members, whole, err
}
