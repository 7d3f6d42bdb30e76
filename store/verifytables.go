package store

import (
	"context"
	"maps"
	"slices"
)

// ids checks the hash table: every bucket is there, holds what belongs to it, and
// all of them as many digests as documents were entered.
func (v *verifier) ids(ctx context.Context) error {
	n, digests := buckets(v.p.indexed), int64(0)
	v.step.Total = n
	for next := int64(0); ; {
		rows, err := v.tx.QueryContext(ctx, selectBuckets, next, fillAtATime)
		page, err := collect(v.s.path, rows, err, (*bucketRow).dest)
		if err != nil {
			return err
		}
		for i := range page {
			for ; next < page[i].bucket && next < n; next++ {
				v.fault("bucket %d of the ids is missing", next)
			}
			next = page[i].bucket + 1
			digests += v.bucket(&page[i], n)
		}
		v.advance(len(page))
		if len(page) < fillAtATime {
			break
		}
	}
	if digests != v.p.indexed {
		v.fault("the table of ids holds %d ids, not %d", digests, v.p.indexed)
	}
	return nil
}

// bucket checks one of n buckets, and returns how many digests it holds.
func (v *verifier) bucket(r *bucketRow, n int64) int64 {
	if err := r.check(v.s.path); v.note(err) != nil || err != nil {
		return 0
	}
	if r.bucket >= n {
		v.fault("the table of ids has bucket %d of %d", r.bucket, n)
	}
	seen := make(map[digest]bool)
	for _, d := range r.split() {
		if d.bucket(n) != r.bucket || seen[d] {
			v.fault("bucket %d of the ids holds an id that is not its own, or twice", r.bucket)
		}
		seen[d] = true
	}
	return int64(len(seen))
}

// membersAtATime is how many rows of the table members are read at once.
const membersAtATime = 4096

// entries checks the table of members against micros and the journal.
func (v *verifier) entries(ctx context.Context) error {
	sums, kept := make(map[int64]int64, len(v.sums)), int64(0)
	for last := (member{micro: minInt64}); ; {
		rows, err := v.tx.QueryContext(ctx, "SELECT micro, seq FROM members WHERE (micro, seq) > (?, ?) ORDER BY micro, seq LIMIT ?",
			last.micro, last.seq, membersAtATime)
		page, err := collect(v.s.path, rows, err, (*member).dest)
		if err != nil {
			return err
		}
		for _, m := range page {
			sums[m.micro] += m.sum()
			if m.seq > v.p.dropped {
				kept++
			}
			if m.seq > v.p.indexed {
				v.fault("the members of micro-cluster %d have document %d, and only those up to %d are entered", m.micro, m.seq, v.p.indexed)
			}
		}
		v.advance(len(page))
		if len(page) < membersAtATime {
			break
		}
		last = page[len(page)-1]
	}
	if kept != v.members {
		v.fault("the table of members has %d documents of the journal, not %d", kept, v.members)
	}
	v.compareSums(sums)
	return nil
}

const minInt64 = -1 << 63

// compareSums compares the checksums of members with those that micros has.
func (v *verifier) compareSums(sums map[int64]int64) {
	for _, micro := range slices.Sorted(maps.Keys(v.sums)) {
		if sums[micro] != v.sums[micro] {
			v.fault("the members of micro-cluster %d do not match their checksum", micro)
		}
		delete(sums, micro)
	}
	for _, micro := range slices.Sorted(maps.Keys(sums)) {
		v.fault("micro-cluster %d has members and is missing", micro)
	}
}

// edits checks that the edits are there, in order.
func (v *verifier) edits(ctx context.Context) error {
	rows, err := v.tx.QueryContext(ctx, selectEdits, 0)
	all, err := collect(v.s.path, rows, err, (*editRow).dest)
	if err != nil {
		return err
	}
	seq := int64(0)
	for i := range all {
		e, err := all[i].record(v.s.path, int64(i)+1)
		if err := v.note(err); err != nil {
			return err
		}
		if err == nil && (e.Seq < seq || e.Seq > v.p.documents) {
			v.fault("edit %d was made after document %d, and the one before after %d of %d", e.Number, e.Seq, seq, v.p.documents)
		}
		seq = max(seq, e.Seq)
	}
	v.step.Done, v.step.Total = int64(len(all)), v.p.edits
	if int64(len(all)) != v.p.edits {
		v.fault("there are %d edits, not %d", len(all), v.p.edits)
	}
	return nil
}

// snapshots checks the checksums of the snapshots.
func (v *verifier) snapshots(ctx context.Context) error {
	want := min(v.p.snapshots, keptSnapshots)
	v.step.Total = want
	n, err := queryInt(ctx, v.tx, v.s.path, "SELECT count(*) FROM snapshots")
	if err != nil {
		return err
	}
	if n != want {
		v.fault("there are %d snapshots, not %d", n, want)
	}
	for number := v.p.snapshots - want + 1; number <= v.p.snapshots; number++ {
		snapshot, err := selectSnapshotRow(ctx, v.tx, v.s.path, number)
		if err := v.note(err); err != nil {
			return err
		}
		if err == nil && (snapshot.Seq < v.p.dropped || snapshot.Seq > v.p.documents) {
			v.fault("snapshot %d is one of document %d of %d to %d", number, snapshot.Seq, v.p.dropped+1, v.p.documents)
		}
		v.step.Done++
	}
	return nil
}

// letters checks the dead letters one by one.
func (v *verifier) letters(ctx context.Context) error {
	v.step.Total = v.p.deadLetters - v.p.settled
	for after := int64(0); ; v.advance(1) {
		next, err := queryInt(ctx, v.tx, v.s.path, "SELECT coalesce(min(number), 0) FROM dead_letters WHERE number > ?", after)
		if err != nil {
			return err
		}
		if next == 0 {
			break
		}
		if _, err := v.s.readLetters(ctx, v.tx, next-1, 1); v.note(err) != nil {
			return err
		}
		if after = next; next > v.p.deadLetters {
			v.fault("there is a dead letter %d, and have been %d", next, v.p.deadLetters)
		}
	}
	if v.step.Done != v.step.Total {
		v.fault("there are %d dead letters, not %d", v.step.Done, v.step.Total)
	}
	return nil
}
