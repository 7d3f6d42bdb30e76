package store

import (
	"encoding/binary"
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

func drawDigest(t *rapid.T) digest {
	var d digest
	binary.LittleEndian.PutUint64(d[:], rapid.Uint64().Draw(t, "digest"))
	return d
}

// Every digest has a bucket, and when the table grows it stays there or goes to
// a new bucket that takes over part of that one.
func TestBucketsGrow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDigest(t)
		n := rapid.Int64Range(1, 1<<40).Draw(t, "buckets")
		more := n + rapid.OneOf(rapid.Int64Range(0, 3), rapid.Int64Range(0, 1<<41)).Draw(t, "new buckets")
		before, after := d.bucket(n), d.bucket(more)
		if before < 0 || before >= n || after < 0 || after >= more {
			t.Fatalf("buckets %d of %d and %d of %d", before, n, after, more)
		}
		if origin(after, n) != before {
			t.Fatalf("bucket %d of %d takes over part of %d, and the digest was in %d", after, more, origin(after, n), before)
		}
	})
}

// Litwin's example of five buckets: two have split, so that three bits count
// where the low two are 0, and two bits elsewhere.
func TestBucketOfFive(t *testing.T) {
	for low, want := range []int64{0, 1, 2, 3, 4, 1, 2, 3, 0, 1, 2, 3, 4} {
		var d digest
		d[0] = byte(low)
		if got := d.bucket(5); got != want {
			t.Errorf("bucket of %03b is %d, want %d", low, got, want)
		}
	}
}

// Digests spread evenly: no bucket has much more than twice the average, which
// is what one has just before it splits.
func TestBucketsAreEven(t *testing.T) {
	for _, ids := range []int64{1000, 50_000, 70_000} {
		n := buckets(ids)
		held := make([]int, n)
		for i := range ids {
			held[digestOf(fmt.Sprint(i)).bucket(n)]++
		}
		for b, digests := range held {
			if digests > 3*bucketIDs || digests < bucketIDs/4 {
				t.Errorf("bucket %d of %d holds %d of %d digests", b, n, digests, ids)
			}
		}
	}
}

// What is entered step by step, in steps of all sizes, is where a look-up in
// the table as large as it is then expects it, once, and every bucket exists.
func TestEntry(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := map[int64][]digest{0: nil}
		var entered []arrival
		for range rapid.IntRange(1, 6).Draw(t, "steps") {
			arrived := make([]arrival, rapid.IntRange(0, 3*bucketIDs).Draw(t, "arrived"))
			for i := range arrived {
				arrived[i].id = digestOf(fmt.Sprint(len(entered) + i))
			}
			e := newEntry(int64(len(entered)), arrived)
			for _, b := range e.touched() {
				for part, digests := range e.distribute(b, table[b]) {
					row := bucketRow{digests: digests}
					table[part] = row.split()
				}
			}
			entered = append(entered, arrived...)
		}
		checkTable(t, table, entered)
	})
}

func checkTable(t *rapid.T, table map[int64][]digest, entered []arrival) {
	n := buckets(int64(len(entered)))
	if int64(len(table)) != n {
		t.Fatalf("%d buckets, want %d", len(table), n)
	}
	at := make(map[digest]int64)
	for b, digests := range table {
		for _, d := range digests {
			if _, twice := at[d]; twice {
				t.Fatalf("%x is there twice", d)
			}
			at[d] = b
		}
	}
	if len(at) != len(entered) {
		t.Fatalf("%d digests, want %d", len(at), len(entered))
	}
	for _, a := range entered {
		if at[a.id] != a.id.bucket(n) {
			t.Fatalf("%x is in bucket %d, want %d", a.id, at[a.id], a.id.bucket(n))
		}
	}
}
