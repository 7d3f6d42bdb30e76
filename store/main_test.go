package store_test

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"testing"

	"go.uber.org/goleak"

	"starling"
	"starling/store"
)

// childVariable names the child that the test binary is to be instead of
// running tests.
const childVariable = "STARLING_STORE_TEST_CHILD"

// soakSetting has tests try all that there is, and not some.
const soakSetting = "STARLING_TEST_SOAK"

// children are the processes that tests start, by name. Each works on the
// state in dir, writes to out what it has done, and ends or waits to be killed.
var children = map[string]func(dir string, out io.Writer) error{}

func TestMain(m *testing.M) {
	name, ok := os.LookupEnv(childVariable)
	if !ok {
		// Each check makes a state and waits for the disk; -rapid.checks=N makes more.
		if err := flag.Set("rapid.checks", "25"); err != nil {
			panic(err)
		}
		goleak.VerifyTestMain(m)
		return
	}
	if err := children[name](os.Args[1], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// child returns a command that runs a child on the state in dir.
func child(t *testing.T, name, dir string) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, dir)
	cmd.Env = append(os.Environ(), childVariable+"="+name)
	cmd.Stderr = os.Stderr
	return cmd
}

// testIdentity is what the states of the tests are made with.
var testIdentity = store.Identity{Model: "test/model", Fingerprint: "f00d", Dim: 8, Settings: `{"threshold":0.7}`}

// create makes a state, which is closed when the test ends.
func create(t testing.TB, dir string) *store.Store {
	t.Helper()
	s, err := store.Create(t.Context(), dir, testIdentity)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeStore(t, s) })
	return s
}

// open opens a state, which is closed when the test ends.
func open(t testing.TB, dir string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeStore(t, s) })
	return s
}

func openReader(t testing.TB, dir string) *store.Store {
	t.Helper()
	s, err := store.OpenReader(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeStore(t, s) })
	return s
}

func closeStore(t testing.TB, s *store.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func commit(t testing.TB, s *store.Store, b store.Batch) {
	t.Helper()
	if err := s.Commit(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

// contents is everything that can be read from a state.
type contents struct {
	Identity        store.Identity
	Records         []store.Record
	Updates         []starling.Update
	Members         []starling.Update
	Clusters        map[starling.ClusterID][]starling.Update
	Known           map[string]bool
	Snapshots       []store.Snapshot
	DeadLetters     []store.DeadLetter
	Edits           []store.EditRecord
	Last, Published int64
}

// read reads everything from a state, and looks up the given ids beside those
// of its documents.
func read(t testing.TB, s *store.Store, ids ...string) (contents, error) {
	ctx := t.Context()
	c := contents{Identity: s.Identity(), Clusters: make(map[starling.ClusterID][]starling.Update)}
	var errs [9]error
	first, err := s.First(ctx)
	if err != nil {
		return c, err
	}
	c.Records, errs[0] = collect2(s.Journal(ctx, first-1))
	c.Updates, errs[1] = s.Updates(ctx, 0, 0)
	c.Members, errs[2] = collect2(s.Members(ctx))
	for _, update := range c.Members {
		ids = append(ids, update.ID)
		if _, done := c.Clusters[update.Cluster]; done || errs[3] != nil {
			continue
		}
		c.Clusters[update.Cluster], errs[3] = collect2(s.Documents(ctx, store.Query{Cluster: update.Cluster}))
	}
	c.Known, errs[4] = s.Known(ctx, ids)
	c.Snapshots, errs[5] = collect2(s.Snapshots(ctx))
	c.DeadLetters, errs[6] = collect2(s.DeadLetters(ctx))
	c.Edits, errs[8] = s.Edits(ctx, 0)
	c.Last, errs[7] = s.Last(ctx)
	c.Published, err = s.Published(ctx)
	return c, errors.Join(append(errs[:], err)...)
}

func mustRead(t testing.TB, s *store.Store, ids ...string) contents {
	t.Helper()
	c, err := read(t, s, ids...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func collect2[T any](seq func(yield func(T, error) bool)) ([]T, error) {
	var all []T
	for v, err := range seq {
		if err != nil {
			return all, err
		}
		all = append(all, v)
	}
	return all, nil
}

// wantSame fails unless two values are the same.
func wantSame(t testing.TB, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

func wantError(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got the error %v, want %v", err, want)
	}
}

func statePath(dir string) string { return filepath.Join(dir, store.FileName) }
