package store_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"starling"
	"starling/store"
)

// trim has documents leave until none may, and returns how many did.
func trim(t testing.TB, s *store.Store, r store.Retention) (all int64) {
	t.Helper()
	for {
		n, err := s.Trim(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return all
		}
		all += n
	}
}

func snapshotOf(seq int64) *store.Snapshot {
	return &store.Snapshot{Seq: seq, Data: []byte(fmt.Sprint("after ", seq))}
}

// filled makes a state of n documents that all may leave.
func filled(t *testing.T, n int) (*store.Store, *stream) {
	t.Helper()
	s := create(t, t.TempDir())
	s.SetIndexEvery(1)
	stream := newStream(3)
	commit(t, s, store.Batch{Records: stream.records(n), Snapshot: snapshotOf(int64(n))})
	commit(t, s, store.Batch{Snapshot: snapshotOf(int64(n))})
	return s, stream
}

// What stays of a state that is trimmed now and then is what one that is not
// trimmed says of the same documents; and every id stays known.
func TestTrimmedStateIsTheEndOfAnother(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		whole, trimmed := create(t, t.TempDir()), create(t, t.TempDir())
		trimmed.SetIndexEvery(rapid.Int64Range(1, 100).Draw(rt, "index every"))
		stream := newStream(rapid.Uint64().Draw(rt, "seed"))
		var ids []string
		for range rapid.IntRange(1, 8).Draw(rt, "commits") {
			b := store.Batch{Records: stream.records(rapid.IntRange(0, 120).Draw(rt, "documents"))}
			if rapid.Bool().Draw(rt, "snapshot") {
				b.Snapshot = snapshotOf(stream.seq)
			}
			for _, r := range b.Records {
				ids = append(ids, r.ID)
			}
			commit(t, whole, b)
			commit(t, trimmed, b)
			keep := rapid.Int64Range(1, 300).Draw(rt, "keep")
			for range rapid.IntRange(0, 5).Draw(rt, "trims") {
				if _, err := trimmed.Trim(t.Context(), store.Retention{Documents: keep, Unpublished: true}); err != nil {
					rt.Fatal(err)
				}
			}
		}
		wantEnd(rt, t, trimmed, whole, ids)
	})
}

// wantEnd fails unless one state is the end of another.
func wantEnd(rt *rapid.T, t *testing.T, end, whole *store.Store, ids []string) {
	first, err := end.First(t.Context())
	if err != nil {
		rt.Fatal(err)
	}
	clusters := make(map[starling.ClusterID][]starling.Update)
	var members []starling.Update
	for update, err := range whole.Members(t.Context()) {
		if err != nil {
			rt.Fatal(err)
		}
		if update.Seq >= first {
			members = append(members, update)
			clusters[update.Cluster] = append(clusters[update.Cluster], update)
		} else {
			clusters[update.Cluster] = append([]starling.Update{}, clusters[update.Cluster]...)
		}
	}
	got, err := collect2(end.Members(t.Context()))
	if err != nil {
		rt.Fatal(err)
	}
	same(rt, "members", got, members)
	for cluster, want := range clusters {
		got, err := collect2(end.Documents(t.Context(), store.Query{Cluster: cluster}))
		if err != nil {
			rt.Fatal(err)
		}
		same(rt, fmt.Sprint("documents of cluster ", cluster), got, want)
	}
	known, err := end.Known(t.Context(), ids)
	if err != nil || len(known) != len(ids) {
		rt.Fatalf("%d of %d ids are known: %v", len(known), len(ids), err)
	}
}

// Documents stay that a restart needs, whatever a retention says: those since the
// snapshot before the newest, those that are not in the table of ids, and those
// whose updates are due.
func TestTrimKeepsWhatIsNeeded(t *testing.T) {
	s := create(t, t.TempDir())
	s.SetIndexEvery(120)
	stream := newStream(3)
	hungry := store.Retention{Documents: 1, Unpublished: true}
	for _, step := range []struct {
		what     string
		batch    store.Batch
		leave    store.Retention
		want     int64
		publish  int64
		snapshot int64
	}{
		{what: "without a snapshot", leave: hungry, want: 1},
		{what: "with one", leave: hungry, snapshot: 100, want: 1},
		{what: "with two, entered up to 100", leave: hungry, snapshot: 200, want: 101},
		{what: "with published updates up to 150", leave: store.Retention{Documents: 1}, snapshot: 300, publish: 150, want: 151},
		{what: "with all published", leave: store.Retention{Documents: 1}, snapshot: 400, publish: 500, want: 301},
		{what: "with 250 that stay", leave: store.Retention{Documents: 250, Unpublished: true}, snapshot: 600, want: 351},
	} {
		b := store.Batch{Records: stream.records(100)}
		if step.snapshot > 0 {
			b.Snapshot = snapshotOf(step.snapshot)
		}
		commit(t, s, b)
		if step.publish > 0 {
			if err := s.SetPublished(t.Context(), step.publish); err != nil {
				t.Fatal(err)
			}
		}
		trim(t, s, step.leave)
		if first, err := s.First(t.Context()); err != nil || first != step.want {
			t.Errorf("%s: the first document is %d, %v; want %d", step.what, first, err, step.want)
		}
	}
}

// By age, documents leave up to the first that is young enough. What has no time,
// or one that is yet to come, leaves with those around it.
func TestTrimByAge(t *testing.T) {
	day := func(n int) time.Time { return time.Unix(int64(n)*86400, 0) }
	const none, future = -1, 1000
	for name, c := range map[string]struct {
		days []int
		want int64
	}{
		"old ones leave":                   {[]int{1, 2, 3, 8, 9}, 4},
		"all are old":                      {[]int{1, 2, 3}, 4},
		"none is old":                      {[]int{8, 9}, 1},
		"without a time":                   {[]int{none, none}, 1},
		"without a time before an old one": {[]int{none, 1, none, 2, none, 8}, 5},
		"an old one after a young one stays with it": {[]int{1, 8, 2, 9}, 2},
		"a time to come keeps nothing":               {[]int{1, future, 2, 8}, 4},
	} {
		s := create(t, t.TempDir())
		s.SetIndexEvery(1)
		records := newStream(1).records(len(c.days))
		for i, n := range c.days {
			if records[i].Time = day(n); n == none {
				records[i].Time = time.Time{}
			}
		}
		commit(t, s, store.Batch{Records: records, Snapshot: snapshotOf(int64(len(records)))})
		commit(t, s, store.Batch{Snapshot: snapshotOf(int64(len(records)))})
		trim(t, s, store.Retention{Before: day(5), Now: day(10), Unpublished: true})
		if first, err := s.First(t.Context()); err != nil || first != c.want {
			t.Errorf("%s: the first document is %d, %v; want %d", name, first, err, c.want)
		}
	}
}

// A state that all documents have left opens, and goes on.
func TestTrimAll(t *testing.T) {
	s, stream := filled(t, 700)
	r := store.Retention{Before: time.Now(), Now: time.Now(), Unpublished: true}
	if n := trim(t, s, r); n < 690 {
		t.Fatalf("%d documents left", n)
	}
	dir := t.TempDir()
	copyState(t, s, dir)
	s = open(t, dir)
	next := stream.records(30)
	commit(t, s, store.Batch{Records: next})
	known, err := s.Known(t.Context(), []string{"id-1", "id-700", "id-730", "id-731"})
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "known ids", known, map[string]bool{"id-1": true, "id-700": true, "id-730": true})
	got, err := s.Updates(t.Context(), 0, 0)
	if err != nil || len(got) < 30 || got[len(got)-1].ID != next[29].ID {
		t.Fatalf("got %d updates, %v", len(got), err)
	}
	_, err = collect2(s.Journal(t.Context(), 0))
	wantError(t, err, store.ErrLeft)
	if err := s.Commit(t.Context(), deletion(1, 730, 1)); err == nil {
		t.Error("a document that has left was deleted")
	}
}

func copyState(t *testing.T, s *store.Store, dir string) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(s.Path())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(statePath(dir), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// A file from which as many documents leave as come does not grow but by the ids,
// and neither do the tables of members and micro-clusters.
func TestTrimmedFileStopsGrowing(t *testing.T) {
	s := create(t, t.TempDir())
	s.SetIndexEvery(200)
	stream := newStream(2)
	var pages, members, micros []int64
	for range 12 {
		for range 10 {
			b := store.Batch{Records: stream.ending(250)}
			b.Snapshot = snapshotOf(stream.seq)
			commit(t, s, b)
			trim(t, s, store.Retention{Documents: 1000, Unpublished: true})
		}
		pages = append(pages, s.Count(t, "SELECT page_count FROM pragma_page_count"))
		members = append(members, s.Count(t, "SELECT count(*) FROM members"))
		micros = append(micros, s.Count(t, "SELECT count(*) FROM micros"))
	}
	t.Logf("pages %v, members %v, micro-clusters %v of %d", pages, members, micros, stream.lastMicro)
	const ids = 15_000 * 16 / (16 << 10) * 2 // with room
	if half, all := pages[5], pages[11]; all > half+ids {
		t.Errorf("%d pages after 15,000 documents, %d after 30,000", half, all)
	}
	if most := slices.Max(members); most > 1200+store.RoundAtLeast+600 {
		t.Errorf("%d rows of members", most)
	}
	if most := slices.Max(micros[6:]); most > int64(stream.lastMicro)/2 {
		t.Errorf("%d micro-clusters of %d", most, stream.lastMicro)
	}
}

// ending returns records of a stream whose micro-clusters end sooner or later.
func (s *stream) ending(n int) []store.Record {
	records := make([]store.Record, n)
	for i := range records {
		records[i] = s.next()
		if len(s.clusters) > 30 {
			some := s.microsOf(func(starling.ClusterID) bool { return true }, 10)
			e := starling.Event{Kind: starling.Joined, Micros: some[1:], Into: some[0], To: s.clusters[some[0]], Size: 2}
			records[i].Events = append(records[i].Events, e)
			s.followEvents([]starling.Event{e})
		}
	}
	return records
}

// A process from whose state documents leave is killed at random moments. Nothing
// is wrong with the file, and what is kept is what it was.
func TestKilledWhileTrimming(t *testing.T) {
	dir := t.TempDir()
	trimmed := false
	for kill := range 10 {
		reported := killOne(t, "trim for ever", dir, time.Duration(rand.IntN(200))*time.Millisecond)
		if !store.Exists(dir) {
			continue
		}
		if faults, err := faultsOf(t, dir); err != nil || len(faults) > 0 {
			t.Fatalf("kill %d: faults %q, %v", kill, faults, err)
		}
		s := openReader(t, dir)
		got := mustRead(t, s)
		if got.Last < reported {
			t.Fatalf("kill %d: %d documents, and %d were reported", kill, got.Last, reported)
		}
		first, err := s.First(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		stream := newStream(killSeed)
		stream.records(int(got.Last))
		want := slices.DeleteFunc(stream.members(), func(u starling.Update) bool { return u.Seq < first })
		if len(got.Members)+len(want) > 0 {
			wantSame(t, "members", got.Members, want)
		}
		trimmed = trimmed || first > 1
		closeStore(t, s)
	}
	if !trimmed {
		t.Skip("this machine is too slow for documents to leave before the process is killed")
	}
}
