package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"fmt"
	"maps"
	"math/bits"
	"slices"
)

// The table ids is a linear hash table (Litwin, "Linear Hashing: a new tool for
// file and table addressing", VLDB 1980). Each row is a bucket and has a
// checksum, and every bucket has a row, so that the answer "not there" can be
// trusted as much as a document can.

// bucketIDs is how many digests a bucket holds on average.
const bucketIDs = 128

// A digest is the beginning of the SHA-256 of a document's id. Two ids with one
// digest would count as one document; among 10^12 ids the odds of such a pair
// are one in 10^14.
type digest [16]byte

func digestOf(id string) digest {
	sum := sha256.Sum256([]byte(id))
	return digest(sum[:16])
}

// buckets returns how many buckets a table of some ids has.
func buckets(ids int64) int64 { return max(1, (ids+bucketIDs-1)/bucketIDs) }

// bucket returns which of n buckets a digest is in: its low bits, as many as
// the largest number takes, or one fewer where there is no such bucket yet.
func (d digest) bucket(n int64) int64 {
	low := binary.LittleEndian.Uint64(d[:8])
	mask := uint64(1)<<bits.Len64(uint64(n-1)) - 1
	if b := int64(low & mask); b < n {
		return b
	}
	return int64(low & (mask >> 1))
}

// origin returns which of n buckets held what a later bucket takes over.
func origin(bucket, n int64) int64 {
	for bucket >= n {
		bucket &^= 1 << (bits.Len64(uint64(bucket)) - 1)
	}
	return bucket
}

// A bucketRow is a row of the table ids.
type bucketRow struct {
	bucket  int64
	digests []byte
	sum     int64
}

func (r *bucketRow) dest() []any { return []any{&r.bucket, &r.digests, &r.sum} }

func (r *bucketRow) check(path string) error {
	if r.sum != int64(sumOf(r.bucket, r.digests)) || len(r.digests)%len(digest{}) != 0 {
		return damaged(path, fmt.Sprintf("bucket %d of the ids does not match its checksum", r.bucket))
	}
	return nil
}

// split returns the digests of the bucket.
func (r *bucketRow) split() []digest {
	all := make([]digest, 0, len(r.digests)/len(digest{}))
	for d := range slices.Chunk(r.digests, len(digest{})) {
		all = append(all, digest(d))
	}
	return all
}

func missingBucket(path string, bucket int64) error {
	return damaged(path, fmt.Sprintf("bucket %d of the ids is missing", bucket))
}

const (
	selectBucket  = "SELECT bucket, digests, checksum FROM ids WHERE bucket = ?"
	replaceBucket = "INSERT OR REPLACE INTO ids (bucket, digests, checksum) VALUES (?,?,?)"
)

// An entry is how digests are added to the table.
type entry struct {
	buckets int64              // that there will be
	arrived map[int64][]digest // by the bucket that takes them now
	splits  map[int64][]int64  // the buckets that split off a bucket
}

// newEntry plans how to add what arrived to a table of some ids.
func newEntry(ids int64, arrived []arrival) entry {
	now := buckets(ids)
	e := entry{
		buckets: buckets(ids + int64(len(arrived))),
		arrived: make(map[int64][]digest),
		splits:  make(map[int64][]int64),
	}
	for _, a := range arrived {
		b := a.id.bucket(now)
		e.arrived[b] = append(e.arrived[b], a.id)
	}
	for b := now; b < e.buckets; b++ {
		from := origin(b, now)
		e.splits[from] = append(e.splits[from], b)
	}
	return e
}

// touched returns the buckets that change, in order, so that each page of the
// table is touched once.
func (e entry) touched() []int64 {
	all := slices.AppendSeq(slices.Collect(maps.Keys(e.arrived)), maps.Keys(e.splits))
	slices.Sort(all)
	return slices.Compact(all)
}

// distribute returns what a bucket, and those that split off it, will hold.
func (e entry) distribute(bucket int64, held []digest) map[int64][]byte {
	contents := map[int64][]byte{bucket: {}}
	for _, b := range e.splits[bucket] {
		contents[b] = []byte{}
	}
	for _, d := range slices.Concat(held, e.arrived[bucket]) {
		b := d.bucket(e.buckets)
		contents[b] = append(contents[b], d[:]...)
	}
	return contents
}

// write adds the digests.
func (e entry) write(ctx context.Context, tx *sql.Tx, path string) error {
	read, err := tx.Prepare(selectBucket)
	if err != nil {
		return err
	}
	defer read.Close() //nolint:errcheck // the transaction ends with it
	replace, err := tx.Prepare(replaceBucket)
	if err != nil {
		return err
	}
	defer replace.Close() //nolint:errcheck // the transaction ends with it
	for _, bucket := range e.touched() {
		if err := ctx.Err(); err != nil {
			return err
		}
		rows, err := read.Query(bucket)
		row, err := one(path, rows, err, (*bucketRow).dest)
		if err != nil {
			return err
		}
		if err := row.check(path); err != nil {
			return err
		}
		for b, digests := range e.distribute(bucket, row.split()) {
			if _, err := replace.Exec(b, digests, sumOf(b, digests)); err != nil {
				return err
			}
		}
	}
	return nil
}
