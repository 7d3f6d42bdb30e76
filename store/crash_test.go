//go:build unix

package store_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	sqlite3 "modernc.org/sqlite/lib"

	"starling"
	"starling/store"
	"starling/store/internal/faultdisk"
)

// A life is what a program does to a state, step by step. Every step is one
// transaction, or does not change what can be read.
type life struct {
	begin func(ctx context.Context, dir string) (*store.Store, error)
	steps []step
}

type step struct {
	name string
	do   func(ctx context.Context, s *store.Store) error
	// undone says that a power cut may undo it until the next step that is not so.
	undone bool
}

// wholeLife has a state created and everything done to it that can be.
func wholeLife() life {
	stream := newStream(11)
	l := life{begin: func(ctx context.Context, dir string) (*store.Store, error) {
		return store.Create(ctx, dir, testIdentity)
	}}
	add := func(name string, undone bool, do func(context.Context, *store.Store) error) {
		l.steps = append(l.steps, step{name, do, undone})
	}
	commit := func(name string, b store.Batch) {
		add(name, false, func(ctx context.Context, s *store.Store) error { return s.Commit(ctx, b) })
	}
	for i := range 4 {
		b := store.Batch{Records: stream.records(60)}
		b.DeadLetters = []store.DeadLetter{{MessageID: fmt.Sprint(i), Reason: "a reason", Body: bytes.Repeat([]byte{byte(i)}, 3000)}}
		if i > 0 {
			b.Snapshot = &store.Snapshot{Seq: stream.seq, Data: bytes.Repeat([]byte{byte(i)}, 30_000)}
		}
		commit(fmt.Sprint("commit ", i), b)
		seq := stream.seq - 20
		add(fmt.Sprint("publish ", i), true, func(ctx context.Context, s *store.Store) error { return s.SetPublished(ctx, seq) })
	}
	commit("settle", store.Batch{Settled: []int64{2}})
	commit("new reason", store.Batch{DeadLetters: []store.DeadLetter{{Number: 3, Reason: "another"}}})
	edit := store.EditRecord{Number: 1, Seq: stream.seq, Edit: starling.Edit{Kind: starling.EditRename, Cluster: 1, Name: "a name"}}
	edit.Events = []starling.Event{{Kind: starling.Renamed, To: 1, Name: "a name"}}
	commit("edit", store.Batch{Edits: []store.EditRecord{edit}})
	add("trim", true, func(ctx context.Context, s *store.Store) error {
		_, err := s.Trim(ctx, store.Retention{Documents: 150, Unpublished: true})
		return err
	})
	commit("delete", deletion(2, stream.seq, 130))
	add("scrub", false, func(ctx context.Context, s *store.Store) error { return s.Scrub(ctx) })
	commit("commit after", store.Batch{Records: stream.records(100)})
	return l
}

// migration has a state of an older version opened and written to.
func migration(t *testing.T, version int) life {
	old, err := os.Open(fmt.Sprintf("testdata/version%d.db.gz", version))
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	unzip, err := gzip.NewReader(old)
	if err != nil {
		t.Fatal(err)
	}
	file, err := io.ReadAll(unzip)
	if err != nil {
		t.Fatal(err)
	}
	return life{
		begin: func(ctx context.Context, dir string) (*store.Store, error) {
			if !store.Exists(dir) {
				if err := os.WriteFile(statePath(dir), file, 0o600); err != nil {
					return nil, err
				}
			}
			return store.Open(ctx, dir)
		},
		steps: []step{{"publish", func(ctx context.Context, s *store.Store) error {
			last, err := s.Last(ctx)
			return errors.Join(err, s.SetPublished(ctx, last))
		}, true}},
	}
}

// start begins the life of a state, or goes on with it.
//
// The caller has put a disk under dir, if only because that need not wait for the
// system's.
func (l life) start(ctx context.Context, dir string) (*store.Store, error) {
	begin := l.begin
	if store.Exists(dir) {
		begin = store.Open
	}
	s, err := begin(ctx, dir)
	if err == nil {
		s.SetIndexEvery(100)
	}
	return s, err
}

// states lives undisturbed, and returns what can be read after the first so many
// steps. tell is called before each step and after the last.
func (l life) states(t *testing.T, dir string, tell func(step int, doing string)) (states []contents) {
	t.Helper()
	tell(-1, "begin")
	s, err := l.start(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	states = append(states, mustRead(t, s))
	for i, step := range l.steps {
		tell(i, step.name)
		if err := step.do(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		states = append(states, mustRead(t, s))
	}
	tell(len(l.steps), "close")
	closeStore(t, s)
	return states
}

// A crash is a moment at which the power is cut.
type crash struct {
	done  int // steps were done, -1 where the state was not even made
	doing string
	call  int
	files map[string][]byte
}

// Whenever the power is cut, before any call to the disk: the state is that of what
// was done, or of one step more, and a state that was not made yet is made again.
func TestPowerCutAtEveryCall(t *testing.T) {
	for name, l := range map[string]life{"whole life": wholeLife(), "migration": migration(t, 1)} {
		t.Run(name, func(t *testing.T) {
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			random := rand.New(rand.NewPCG(seed, 0))
			crashes, states := recordCrashes(t, l, random)
			for _, c := range crashes {
				checkCrash(t, l, c, states)
			}
			t.Logf("%d power cuts", len(crashes))
		})
	}
}

// oneIn returns that one call in so many is tried: every one where there is time.
func oneIn(some int) int {
	if os.Getenv(soakSetting) != "" {
		return 1
	}
	return some
}

// crashesACall is how many outcomes are drawn of a power cut at one call.
const crashesACall = 2

// recordCrashes lives undisturbed, and notes before every call what a power cut
// would leave then.
func recordCrashes(t *testing.T, l life, random *rand.Rand) (crashes []crash, states []contents) {
	dir := t.TempDir()
	disk := faultdisk.New(dir)
	defer disk.Remove()
	now := crash{}
	disk.Before(func(c faultdisk.Call) int32 {
		if c.Op == faultdisk.Read || c.Op == faultdisk.Open && !strings.Contains(c.Name, "starling") {
			return 0
		}
		now.call++
		if random.IntN(oneIn(12)) > 0 {
			return 0
		}
		for range crashesACall {
			cut := now
			cut.doing = fmt.Sprintf("%s, %s %s", now.doing, c.Op, c.Name)
			cut.files = disk.Crash(random)
			crashes = append(crashes, cut)
		}
		return 0
	})
	states = l.states(t, dir, func(done int, doing string) { now.done, now.doing = done, doing })
	return crashes, states
}

func checkCrash(t *testing.T, l life, c crash, states []contents) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range c.files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	defer faultdisk.New(dir).Remove()
	what := fmt.Sprintf("power cut before call %d (%s)", c.call, c.doing)
	checkLeft(t, l, dir, what, c.done, states)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
}

// checkLeft checks the state that is left in dir after so many steps were done and
// perhaps one more, and lives on from there.
func checkLeft(t *testing.T, l life, dir, what string, done int, states []contents) {
	t.Helper()
	if done >= 0 && !store.Exists(dir) {
		t.Fatalf("%s: there is no state", what)
	}
	s, err := l.start(t.Context(), dir)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	defer closeStore(t, s)
	faults, err := s.Check(t.Context(), nil)
	if err != nil || len(faults) > 0 {
		t.Fatalf("%s: the check says %v, %v", what, faults, err)
	}
	got := mustRead(t, s)
	at := l.whichState(got, states, max(done, 0))
	if at < 0 {
		t.Fatalf("%s: after %d steps the state is none of those it may be:\n%s", what, done, firstDifference(got, states[max(done, 0)]))
	}
	for _, step := range l.steps[at:] {
		if err := step.do(t.Context(), s); err != nil {
			t.Fatalf("%s: afterwards, %s: %v", what, step.name, err)
		}
	}
	if got := mustRead(t, s); !reflect.DeepEqual(got, states[len(states)-1]) {
		t.Fatalf("%s: living on gives another state:\n%s", what, firstDifference(got, states[len(states)-1]))
	}
}

// whichState returns which of the states it is that there may be after done steps: that
// of one more, or of less where a power cut may undo steps. It returns -1 for none.
func (l life) whichState(got contents, states []contents, done int) int {
	for at := min(done+1, len(l.steps)); at >= 0; at-- {
		if reflect.DeepEqual(got, states[at]) {
			return at
		}
		if at <= done && at > 0 && !l.steps[at-1].undone {
			break
		}
	}
	return -1
}

// faults are the ways in which calls fail.
var faults = []struct {
	op   faultdisk.Op
	code int32
}{
	{faultdisk.Write, sqlite3.SQLITE_FULL},
	{faultdisk.Write, sqlite3.SQLITE_IOERR_WRITE},
	{faultdisk.Sync, sqlite3.SQLITE_IOERR_FSYNC},
	{faultdisk.Truncate, sqlite3.SQLITE_IOERR_TRUNCATE},
	{faultdisk.Read, sqlite3.SQLITE_IOERR_READ},
	{faultdisk.Open, sqlite3.SQLITE_CANTOPEN},
	{faultdisk.Delete, sqlite3.SQLITE_IOERR_DELETE},
}

// Whichever call to the disk fails: what was done before it is there, the error names
// the file and says what is wrong, and afterwards the state opens and all goes on.
func TestEveryCallThatFails(t *testing.T) {
	l := wholeLife()
	dir := t.TempDir()
	defer faultdisk.New(dir).Remove()
	states := l.states(t, dir, func(int, string) {})
	for _, fault := range faults {
		t.Run(fmt.Sprintf("%s %d", fault.op, fault.code), func(t *testing.T) {
			every := oneIn(12)
			failed, tried := 0, 0
			for call := rand.IntN(every); failCall(t, l, fault.op, fault.code, call, states, &failed); call += 1 + rand.IntN(2*every-1) {
				tried++
			}
			t.Logf("of %d calls that failed, %d were told of", tried, failed)
		})
	}
}

// failCall lives until call number n of a kind fails, and checks what is left. It
// returns whether there was such a call.
func failCall(t *testing.T, l life, op faultdisk.Op, code int32, n int, states []contents, failed *int) bool {
	t.Helper()
	dir := t.TempDir()
	disk := faultdisk.New(dir)
	defer disk.Remove()
	calls, where := newCounter(n), ""
	disk.Before(func(c faultdisk.Call) int32 {
		if c.Op != op || !calls.next() {
			return 0
		}
		where = c.Name
		return code
	})
	done, err := l.liveUntilError(t, dir)
	disk.Before(nil)
	what := fmt.Sprintf("%s %d of %s fails with %d", op, n, where, code)
	if err != nil {
		*failed++
		checkFault(t, what, dir, code, err)
	}
	checkLeft(t, l, dir, what, done, states)
	return calls.reached()
}

// checkFault checks the error that a failed call ends in.
func checkFault(t *testing.T, what, dir string, code int32, err error) {
	t.Helper()
	if !strings.Contains(err.Error(), statePath(dir)) {
		t.Errorf("%s: the error does not name the file: %v", what, err)
	}
	full := code == sqlite3.SQLITE_FULL || code == sqlite3.SQLITE_IOERR_WRITE // see ErrFull
	if errors.Is(err, store.ErrDamaged) || errors.Is(err, store.ErrFull) != full {
		t.Errorf("%s: the error says something else: %v", what, err)
	}
}

// liveUntilError lives until a step fails, and returns how many were done, -1 where
// the state was not made.
func (l life) liveUntilError(t *testing.T, dir string) (done int, err error) {
	s, err := l.start(t.Context(), dir)
	if err != nil {
		return -1, err
	}
	defer s.Close() //nolint:errcheck // it may fail as well
	for i, step := range l.steps {
		if err := step.do(t.Context(), s); err != nil {
			return i, err
		}
	}
	return len(l.steps), nil
}
