package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	sqlite3 "modernc.org/sqlite/lib"

	"starling"
)

// A micro is a micro-cluster as the table micros has it now.
type micro struct {
	micro int64
	// whole is the one that it is part of now: itself, unless it joined another.
	whole int64
	// cluster is that of whole.
	cluster int64
	// members is the sum of the checksums of its rows in the table members.
	members int64
}

func (m *micro) dest() []any { return []any{&m.micro, &m.whole, &m.cluster, &m.members} }

// A row of the table leads to what it joined. The queries go the other way, from
// those that joined no other, and so end whatever the rows say; CROSS JOIN keeps
// SQLite from turning them round.
const (
	fromWhole = "WITH RECURSIVE now(micro, whole, cluster, members) AS (" +
		"SELECT micro, micro, cluster, members FROM micros WHERE part_of IS NULL"
	toParts = " UNION ALL SELECT part.micro, whole, now.cluster, part.members " +
		"FROM now CROSS JOIN micros AS part ON part.part_of = now.micro) "

	microsNow        = fromWhole + toParts
	clusterMicrosNow = fromWhole + " AND cluster = ?" + toParts

	selectMicros        = microsNow + "SELECT micro, whole, cluster, members FROM now"
	selectClusterMicros = clusterMicrosNow + "SELECT micro, whole, cluster, members FROM now"
	selectMembers       = clusterMicrosNow + "SELECT micro, seq FROM now CROSS JOIN members USING (micro) ORDER BY seq"
	selectSomeMembers   = clusterMicrosNow + "SELECT micro, whole, seq FROM now CROSS JOIN members USING (micro) " +
		"WHERE seq > ? ORDER BY seq LIMIT ?"
)

// What joined another is never moved again by itself, and what joins it or
// itself does not: so each leads to one that joined no other.
const (
	placeMicro = "INSERT INTO micros (micro, cluster, members) VALUES (?1, ?2, 0) " +
		"ON CONFLICT (micro) DO UPDATE SET cluster = ?2 WHERE part_of IS NULL AND cluster <> ?2"
	joinMicro = "INSERT INTO micros (micro, part_of, cluster, members) SELECT ?1, ?2, 0, 0 " +
		"WHERE ?1 <> ?2 AND EXISTS (SELECT 1 FROM micros WHERE micro = ?2 AND part_of IS NULL) " +
		"ON CONFLICT (micro) DO UPDATE SET part_of = ?2, cluster = 0 WHERE part_of IS NULL"
	mergeMicros = "UPDATE micros SET cluster = ?1 WHERE part_of IS NULL AND cluster = ?2"
)

// A follower keeps the table of micro-clusters as updates say.
type follower struct {
	place, join, merge *sql.Stmt
	// placed holds what the table was told already.
	placed placements
}

// A placements holds what the table of micro-clusters says of some of them.
type placements map[starling.MicroID]starling.ClusterID

// maxPlaced bounds what is held of micro-clusters, most of which may have ended.
const maxPlaced = 1 << 16

// followMicros takes in the updates of a batch, and then its edits. placed is empty
// or what it was after the transaction before, if that was committed.
func followMicros(ctx context.Context, tx *sql.Tx, placed placements, records []Record, edits []EditRecord) (err error) {
	if len(records)+len(edits) == 0 {
		return nil
	}
	if len(placed) > maxPlaced {
		clear(placed)
	}
	f, err := newFollower(tx, placed)
	defer f.close()
	for i := 0; i < len(records) && err == nil; i++ {
		err = f.follow(ctx, records[i].Update)
	}
	for i := 0; i < len(edits) && err == nil; i++ {
		err = f.followEvents(ctx, edits[i].Events)
	}
	return err
}

func newFollower(tx *sql.Tx, placed placements) (f follower, err error) {
	f.placed = placed
	var errs [3]error
	f.place, errs[0] = tx.Prepare(placeMicro)
	f.join, errs[1] = tx.Prepare(joinMicro)
	f.merge, errs[2] = tx.Prepare(mergeMicros)
	return f, errors.Join(errs[:]...)
}

func (f *follower) close() {
	for _, stmt := range []*sql.Stmt{f.place, f.join, f.merge} {
		if stmt != nil {
			_ = stmt.Close() // the transaction ends with it
		}
	}
}

func (f *follower) follow(ctx context.Context, update starling.Update) error {
	if err := f.followEvents(ctx, update.Events); err != nil {
		return err
	}
	return f.put(update.Micro, update.Cluster)
}

func (f *follower) followEvents(ctx context.Context, events []starling.Event) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, event := range events {
		if err := f.followEvent(event); err != nil {
			return err
		}
	}
	return nil
}

// followEvent moves what an event says moved; those of other kinds move nothing.
func (f *follower) followEvent(event starling.Event) error {
	switch event.Kind {
	case starling.Joined:
		return f.joinAll(event)
	case starling.Merged:
		return f.mergeAll(event)
	case starling.Split:
		for _, micro := range event.Micros {
			if err := f.put(micro, event.To); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *follower) joinAll(event starling.Event) error {
	if err := f.put(event.Into, event.To); err != nil {
		return err
	}
	for _, micro := range event.Micros {
		delete(f.placed, micro)
		if _, err := f.join.Exec(int64(micro), int64(event.Into)); err != nil {
			return err
		}
	}
	return nil
}

func (f *follower) mergeAll(event starling.Event) error {
	clear(f.placed)
	for _, from := range event.From {
		if _, err := f.merge.Exec(int64(event.To), int64(from)); err != nil {
			return err
		}
	}
	return nil
}

// put has the table say that a micro-cluster is in a cluster.
func (f *follower) put(micro starling.MicroID, cluster starling.ClusterID) error {
	if was, known := f.placed[micro]; known && was == cluster {
		return nil
	}
	f.placed[micro] = cluster
	_, err := f.place.Exec(int64(micro), int64(cluster))
	return err
}

// checkMicros checks the pages of the table of micro-clusters and that it and
// its index say the same, for its rows have no checksum of their own.
func checkMicros(ctx context.Context, q querier, path string) error {
	verdict, err := queryOne(ctx, q, path, func(v *string) []any { return []any{v} },
		"SELECT integrity_check FROM pragma_integrity_check('micros') LIMIT 1")
	if err != nil {
		return fmt.Errorf("checking micro-clusters: %w", err)
	}
	return judge(path, verdict)
}

// judge returns what a verdict of SQLite's integrity check says: nothing, that the
// file is damaged, or that it could not be read.
func judge(path, verdict string) error {
	if verdict == "ok" {
		return nil
	}
	_, code, _ := strings.Cut(verdict, "unable to get the page. error code=")
	var n int
	if _, err := fmt.Sscan(code, &n); err == nil && n&0xff == sqlite3.SQLITE_IOERR && !meansDamaged(n) {
		return fmt.Errorf("%s: %s; see whether the disk fails", path, verdict)
	}
	return damaged(path, verdict)
}
