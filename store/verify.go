package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
)

// A Step is one part of what [Store.Check] checks, and how far it has come.
type Step struct {
	// Name is the table that is checked, or "pages" for SQLite's own check.
	Name string
	// Done and Total count rows; Total is 0 where nobody knows.
	Done, Total int64
}

// maxFaults is how many faults are named. A file that has so many is lost.
const maxFaults = 100

// Check reads all of the file, and returns what is wrong with it: pages that are
// not as SQLite left them, rows that do not match their checksum or are missing,
// and tables that contradict each other. It reads one moment of the file, beside
// the process that writes it if there is one; SQLite's log cannot be emptied
// meanwhile. report is called now and then, and at the end of each step; nil for
// nobody. The error says why the check could not be made.
//
// What the snapshots hold the store does not read: see pipeline.Recover.
func (s *Store) Check(ctx context.Context, report func(Step)) (faults []error, err error) {
	tx, p, err := s.view(ctx)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() //nolint:errcheck // it only read
	if report == nil {
		report = func(Step) {}
	}
	v := &verifier{s: s, tx: tx, p: p, report: report}
	for _, step := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"pages", v.pages}, {"micros", v.micros}, {"documents", v.documents}, {"ids", v.ids}, {"members", v.entries},
		{"edits", v.edits}, {"snapshots", v.snapshots}, {"dead_letters", v.letters},
	} {
		v.step = Step{Name: step.name}
		if err := v.note(step.run(ctx)); err != nil {
			return v.faults, err
		}
		if len(v.faults) > maxFaults {
			return append(v.faults[:maxFaults], errors.New("there are more faults, which are not named")), nil
		}
		report(v.step)
	}
	return v.faults, nil
}

// A verifier checks one moment of a file.
type verifier struct {
	s      *Store
	tx     *sql.Tx
	p      progress
	report func(Step)
	step   Step
	faults []error

	sums    map[int64]int64 // of the members of each micro-cluster, as micros says
	members int64           // documents that the table members must hold
}

// fault notes that something is wrong.
func (v *verifier) fault(format string, args ...any) {
	if len(v.faults) <= maxFaults {
		v.faults = append(v.faults, fmt.Errorf(format, args...))
	}
}

// note notes damage as a fault, and returns every other error.
func (v *verifier) note(err error) error {
	var d *damage
	if errors.As(err, &d) {
		v.fault("%s: %s", v.step.Name, d.what)
		return nil
	}
	return err
}

// advance says that n more rows are checked.
func (v *verifier) advance(n int) {
	v.step.Done += int64(n)
	v.report(v.step)
}

// pages has SQLite check its pages and indexes.
func (v *verifier) pages(ctx context.Context) error {
	rows, err := v.tx.QueryContext(ctx, fmt.Sprintf("PRAGMA integrity_check(%d)", maxFaults))
	verdicts, err := collect(v.s.path, rows, err, func(s *string) []any { return []any{s} })
	for _, verdict := range verdicts {
		if err := v.note(judge(v.s.path, verdict)); err != nil {
			return err
		}
	}
	return err
}

// micros checks that every micro-cluster leads to one that is in a cluster.
func (v *verifier) micros(ctx context.Context) error {
	rows, err := v.tx.QueryContext(ctx, selectMicros)
	all, err := collect(v.s.path, rows, err, (*micro).dest)
	if err != nil {
		return err
	}
	v.sums = make(map[int64]int64, len(all))
	for _, m := range all {
		v.sums[m.micro] = m.members
		if m.cluster == 0 {
			v.fault("micro-cluster %d is in no cluster", m.micro)
		}
	}
	v.step.Done, v.step.Total = int64(len(all)), int64(len(all))
	n, err := queryInt(ctx, v.tx, v.s.path, "SELECT count(*) FROM micros")
	if err == nil && n != int64(len(all)) {
		v.fault("%d micro-clusters are part of one that is missing, or of themselves", n-int64(len(all)))
	}
	return err
}

// documents checks every document, and that other tables know it.
func (v *verifier) documents(ctx context.Context) error {
	v.step.Total = v.p.documents - v.p.dropped
	for first := v.p.dropped + 1; first <= v.p.documents; first += pageRecords {
		last := min(v.p.documents, first+pageRecords-1)
		page, err := v.s.readRecords(ctx, v.tx, first, last)
		if errors.Is(err, ErrDamaged) {
			page, err = v.oneByOne(ctx, first, last)
		}
		if err != nil {
			return err
		}
		for _, r := range page {
			v.document(r)
		}
		if err := errors.Join(v.known(ctx, page), v.entered(ctx, page)); err != nil {
			return err
		}
		v.advance(int(last - first + 1))
	}
	return nil
}

// oneByOne reads documents one by one, to name all that are damaged.
func (v *verifier) oneByOne(ctx context.Context, first, last int64) (whole []Record, err error) {
	for seq := first; seq <= last; seq++ {
		records, err := v.s.readRecords(ctx, v.tx, seq, seq)
		if err := v.note(err); err != nil {
			return nil, err
		}
		whole = append(whole, records...)
	}
	return whole, nil
}

// document checks what a row says.
func (v *verifier) document(r Record) {
	if r.Micro == 0 {
		return // it was deleted
	}
	if _, ok := v.sums[int64(r.Micro)]; !ok {
		v.fault("document %d is of micro-cluster %d, which is missing", r.Seq, r.Micro)
	}
	if r.Cluster == 0 {
		v.fault("document %d was put into no cluster", r.Seq)
	}
	if slices.ContainsFunc(r.Embedding, func(x float32) bool { return math.IsNaN(float64(x)) }) {
		v.fault("the embedding of document %d has a value that is not a number", r.Seq)
	}
}

// known checks that the table of ids holds documents.
func (v *verifier) known(ctx context.Context, page []Record) error {
	sought := make(map[digest][]string, len(page))
	for _, r := range page {
		if r.Seq <= v.p.indexed {
			sought[digestOf(r.ID)] = []string{r.ID}
		}
	}
	found, err := v.s.indexedAmong(ctx, v.tx, v.p, sought)
	if errors.Is(err, ErrDamaged) {
		return nil // the step after this one names it
	}
	for _, d := range found {
		delete(sought, d)
	}
	for _, ids := range sought {
		v.fault("document id %q is missing from the table of ids", ids[0])
	}
	return err
}

// entered checks that the table of members holds documents.
func (v *verifier) entered(ctx context.Context, page []Record) error {
	stmt, err := v.tx.PrepareContext(ctx, "SELECT count(*) FROM members WHERE micro = ? AND seq = ?")
	if err != nil {
		return explain(v.s.path, "checking members", err)
	}
	defer stmt.Close() //nolint:errcheck // the transaction ends with it
	for _, r := range page {
		if r.Seq > v.p.indexed || r.Micro == 0 {
			continue
		}
		v.members++
		var n int
		if err := stmt.QueryRowContext(ctx, int64(r.Micro), r.Seq).Scan(&n); err != nil {
			return explain(v.s.path, "checking members", err)
		}
		if n == 0 {
			v.fault("document %d is missing from the members of micro-cluster %d", r.Seq, r.Micro)
		}
	}
	return nil
}
