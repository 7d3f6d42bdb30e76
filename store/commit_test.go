package store_test

import (
	"context"
	"errors"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"starling"
	"starling/store"
)

// A batch that is not right is refused, with an error that says why, and leaves
// everything as it was.
func TestCommitRefuses(t *testing.T) {
	record := func(change func(*store.Record)) store.Batch {
		records := newStream(2).records(12)[10:]
		change(&records[1])
		return store.Batch{Records: records}
	}
	tests := map[string]struct {
		batch store.Batch
		says  string
	}{
		"a number too high":   {record(func(r *store.Record) { r.Seq++ }), "record 1 has number 13, want 12"},
		"a number twice":      {record(func(r *store.Record) { r.Seq-- }), "record 1 has number 11, want 12"},
		"an old number":       {store.Batch{Records: newStream(1).records(1)}, "record 0 has number 1, want 11"},
		"another dimension":   {record(func(r *store.Record) { r.Embedding = r.Embedding[1:] }), `"id-12" has an embedding of 7 values, want 8`},
		"no embedding":        {record(func(r *store.Record) { r.Embedding = nil }), "an embedding of 0 values"},
		"no similarity":       {record(func(r *store.Record) { r.Similarity = float32(math.NaN()) }), "not a number"},
		"a time out of range": {record(func(r *store.Record) { r.Time = time.Date(1677, 1, 1, 0, 0, 0, 0, time.UTC) }), "1678 to 2262"},
		"a snapshot ahead":    {store.Batch{Snapshot: &store.Snapshot{Seq: 11}}, "a snapshot of document 11, the journal ends at 10"},
		"a snapshot before":   {store.Batch{Snapshot: &store.Snapshot{Seq: -1}}, "a snapshot of document -1"},
		"too many records":    {store.Batch{Records: make([]store.Record, 1<<16+1)}, "65537 records, want at most 65536"},
	}
	s, want := someState(t)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := s.Commit(t.Context(), test.batch)
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got the error %v, want one that says %q", err, test.says)
			}
			wantSame(t, "state", mustRead(t, s), want)
		})
	}
	commit(t, s, store.Batch{Records: newStream(1).records(11)[10:]})
}

// someState makes a state of ten documents, half of them in the tables.
func someState(t *testing.T) (*store.Store, contents) {
	s := create(t, t.TempDir())
	s.SetIndexEvery(6)
	stream := newStream(1)
	for range 5 {
		commit(t, s, store.Batch{Records: stream.records(2)})
	}
	commit(t, s, store.Batch{DeadLetters: oddLetters, Snapshot: &store.Snapshot{Seq: 10, Data: []byte("ten")}})
	return s, mustRead(t, s)
}

// What a commit was told to give up, or what SQLite refused, leaves nothing
// behind: not in the file, and not in what the writer remembers.
func TestCommitIsAllOrNothing(t *testing.T) {
	tests := map[string]func(s *store.Store, b store.Batch) error{
		"context ended": func(s *store.Store, b store.Batch) error {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			return s.Commit(ctx, b)
		},
		"write refused at the end": func(s *store.Store, b store.Batch) error {
			if err := s.Break(true); err != nil {
				return nil
			}
			return errors.Join(s.Commit(t.Context(), b), s.Break(false))
		},
	}
	for name, fail := range tests {
		t.Run(name, func(t *testing.T) {
			s, want := someState(t)
			stream := newStream(1)
			stream.records(10)
			b := store.Batch{
				Records:     stream.records(4),
				DeadLetters: []store.DeadLetter{{MessageID: "new"}},
				Snapshot:    &store.Snapshot{Seq: 14, Data: []byte("fourteen")},
			}
			if err := fail(s, b); err == nil {
				t.Fatal("no error")
			}
			wantSame(t, "state after the failure", mustRead(t, s, "id-11", "id-14"), want)
			commit(t, s, b)
			after := mustRead(t, s)
			wantSame(t, "number of documents", after.Last, int64(14))
			wantSame(t, "documents", after.Members, stream.members())
			wantSame(t, "dead letters", len(after.DeadLetters), len(oddLetters)+1)
		})
	}
}

// A commit that is given up half way ends soon, and its error is the context's.
func TestCommitGivenUpHalfWay(t *testing.T) {
	s := create(t, t.TempDir())
	b := store.Batch{Records: microRecords(1 << 16)}
	ctx, cancel := context.WithCancel(t.Context())
	defer time.AfterFunc(20*time.Millisecond, cancel).Stop()
	err := s.Commit(ctx, b)
	wantError(t, err, context.Canceled)
	if strings.Contains(err.Error(), "rolled back") {
		t.Errorf("%q tells of the rollback, not of the reason", err)
	}
	wantSame(t, "number of documents", mustRead(t, s).Last, int64(0))
	commit(t, s, store.Batch{Records: b.Records[:10]})
	wantSame(t, "number of documents", mustRead(t, s).Last, int64(10))
}

// The batch is the caller's again when Commit returns.
func TestCommitKeepsNothing(t *testing.T) {
	s := create(t, t.TempDir())
	b := store.Batch{Records: newStream(1).records(3)}
	commit(t, s, b)
	want := mustRead(t, s)
	for i := range b.Records {
		b.Records[i].ID = "changed"
		clear(b.Records[i].Embedding)
	}
	wantSame(t, "state", mustRead(t, s, "changed"), want)
}

// An empty batch is no mistake.
func TestCommitNothing(t *testing.T) {
	s, want := someState(t)
	commit(t, s, store.Batch{})
	commit(t, s, store.Batch{Records: []store.Record{}, DeadLetters: []store.DeadLetter{}})
	wantSame(t, "state", mustRead(t, s), want)
}

func TestSetPublished(t *testing.T) {
	s, want := someState(t)
	for _, seq := range []int64{-1, 11} {
		if err := s.SetPublished(t.Context(), seq); err == nil {
			t.Errorf("update %d of 10 is accepted", seq)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	wantError(t, s.SetPublished(ended, 3), context.Canceled)
	wantSame(t, "state", mustRead(t, s), want)
	if err := s.SetPublished(t.Context(), 7); err != nil {
		t.Fatal(err)
	}
	want.Published = 7
	wantSame(t, "state", mustRead(t, s), want)
}

// Moving the publishing cursor does not wait for the disk; every commit does.
func TestCommitsWaitForTheDisk(t *testing.T) {
	const full = 2
	s, _ := someState(t)
	for _, seq := range []int64{4, -1, 9} {
		_ = s.SetPublished(t.Context(), seq)
		if mode, err := s.Synchronous(t.Context()); err != nil || mode != full {
			t.Errorf("after SetPublished(%d) synchronous is %d, %v; want %d", seq, mode, err, full)
		}
	}
}

// A store opened for reading refuses to write, and a closed one everything.
func TestCommitWhereItCannotBe(t *testing.T) {
	dir := t.TempDir()
	s := create(t, dir)
	reader := openReader(t, dir)
	wantError(t, reader.Commit(t.Context(), store.Batch{}), store.ErrReadOnly)
	wantError(t, reader.SetPublished(t.Context(), 0), store.ErrReadOnly)
	closeStore(t, s)
	closeStore(t, s) // is harmless
	if err := s.Commit(t.Context(), store.Batch{}); err == nil {
		t.Error("a closed store commits")
	}
	if _, err := s.Last(t.Context()); err == nil {
		t.Error("a closed store reads")
	}
}

// Those who look ids up while batches are committed find every one whose
// commit has returned, at each moment: waiting, being indexed and in the table.
func TestKnownBesideCommits(t *testing.T) {
	s := create(t, t.TempDir())
	s.SetIndexEvery(7)
	stream := newStream(1)
	committed := make(chan starling.Update, 1)
	failed := make(chan error, 2)
	for range 2 {
		go func() {
			var ids []string
			for u := range committed {
				ids = append(ids, u.ID)
				known, err := s.Known(t.Context(), append(ids, "never"))
				if err == nil && (len(known) != len(ids) || known["never"]) {
					err = errors.New("a committed id is not known, or another is")
				}
				if err != nil {
					failed <- err
					return
				}
			}
			failed <- nil
		}()
	}
	for range 150 {
		records := stream.records(3)
		commit(t, s, store.Batch{Records: records})
		for _, r := range records {
			select {
			case committed <- r.Update:
			case err := <-failed:
				t.Fatal(err)
			}
		}
	}
	close(committed)
	for range 2 {
		if err := <-failed; err != nil {
			t.Fatal(err)
		}
	}
}

// A reader that takes its time over an iteration does not keep the write-ahead
// log from being emptied, so that it stays near the 16 MiB at which SQLite
// empties it.
func TestSlowReaderHoldsNoLog(t *testing.T) {
	dir := t.TempDir()
	s, err := store.Create(t.Context(), dir, store.Identity{Model: "m", Dim: benchmarkDim})
	if err != nil {
		t.Fatal(err)
	}
	defer closeStore(t, s)
	commit(t, s, store.Batch{Records: benchmarkRecords(0, 1000)})
	reader := openReader(t, dir)
	seq, written := int64(1000), 0
	for record, err := range reader.Journal(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if record.Seq%40 != 0 {
			continue
		}
		commit(t, s, store.Batch{Records: benchmarkRecords(seq, 1500)})
		seq += 1500
		written += 1500 * 4 * benchmarkDim
	}
	log, err := os.Stat(statePath(dir) + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	if bound := int64(24 << 20); log.Size() > bound || int64(written) < 2*bound {
		t.Errorf("the log takes %d bytes after %d were written", log.Size(), written)
	}
}
