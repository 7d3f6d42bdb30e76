//go:build unix

package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"starling/store"
)

func init() {
	children["commit for ever"] = func(dir string, out io.Writer) error { return commitForEver(dir, out, 0) }
	children["trim for ever"] = func(dir string, out io.Writer) error { return commitForEver(dir, out, 200) }
	children["fill the disk"] = fillTheDisk
	children["hold the lock"] = holdTheLock
	children["without rights"] = withoutRights
}

// openOrCreate is what every program does.
func openOrCreate(ctx context.Context, dir string) (*store.Store, error) {
	if store.Exists(dir) {
		return store.Open(ctx, dir)
	}
	return store.Create(ctx, dir, testIdentity)
}

// commitForEver goes on with a stream where the state left it, in batches of
// all sizes, and says after each how many documents are committed. Where it is to
// keep some only, the others leave.
func commitForEver(dir string, out io.Writer, keep int64) error {
	ctx := context.Background()
	s, err := openOrCreate(ctx, dir)
	if err != nil {
		return err
	}
	s.SetIndexEvery(50)
	last, err := s.Last(ctx)
	if err != nil {
		return err
	}
	stream := newStream(killSeed)
	stream.records(int(last))
	for {
		n := 1 + rand.IntN(40)
		b := store.Batch{Records: stream.records(n), DeadLetters: []store.DeadLetter{{MessageID: fmt.Sprint(stream.seq)}}}
		if n%5 == 0 {
			b.Snapshot = &store.Snapshot{Seq: stream.seq, Data: make([]byte, 100_000)}
		}
		if err := s.Commit(ctx, b); err != nil {
			return err
		}
		if err := s.SetPublished(ctx, stream.seq); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(out, stream.seq); err != nil {
			return err
		}
		if keep == 0 {
			continue
		}
		if _, err := s.Trim(ctx, store.Retention{Documents: keep}); err != nil {
			return err
		}
	}
}

// killSeed seeds the stream of the processes that are killed.
const killSeed = 9

// A process is killed at random moments. What it had committed is there, in
// order and whole, and nothing half; the next one goes on from there.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	for kill := range 15 {
		reported := killOne(t, "commit for ever", dir, time.Duration(rand.IntN(120))*time.Millisecond)
		if !store.Exists(dir) {
			if reported > 0 {
				t.Fatalf("kill %d: %d documents are reported and there is no state", kill, reported)
			}
			continue
		}
		checkKilled(t, dir, kill, reported)
	}
}

// killOne starts a process, kills it after some time, and returns the last
// document that it said was committed.
func killOne(t *testing.T, name, dir string, after time.Duration) int64 {
	cmd := child(t, name, dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(50*time.Millisecond+after, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	var reported int64
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if reported, err = strconv.ParseInt(lines.Text(), 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the process was to be killed, and ended with %v", err)
	}
	return reported
}

func checkKilled(t *testing.T, dir string, kill int, reported int64) {
	s, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer closeStore(t, s)
	got := mustRead(t, s)
	if got.Last < reported {
		t.Fatalf("kill %d: %d documents were committed, %d are there", kill, reported, got.Last)
	}
	if got.Published > got.Last || got.Published < reported && got.Last == reported && got.Published != 0 && reported-got.Published > 40 {
		t.Errorf("kill %d: published is %d of %d", kill, got.Published, got.Last)
	}
	stream := newStream(killSeed)
	records := stream.records(int(got.Last))
	if len(records) > 0 {
		wantSame(t, "journal", got.Records, records)
		wantSame(t, "members", got.Members, stream.members())
	}
	if int64(len(got.Known)) != got.Last {
		t.Errorf("kill %d: %d ids of %d are known", kill, len(got.Known), got.Last)
	}
	if n := len(got.DeadLetters); n > 0 && got.DeadLetters[n-1].MessageID != fmt.Sprint(got.Last) {
		t.Errorf("kill %d: the batch of document %d is without its dead letter", kill, got.Last)
	}
}

// fillTheDisk commits until there is no room, and then, given some, goes on.
// A limit on the size of files stands in for a full disk: SQLite reports both
// alike.
func fillTheDisk(dir string, out io.Writer) error {
	signal.Ignore(syscall.SIGXFSZ)
	ctx := context.Background()
	s, err := store.Create(ctx, dir, testIdentity)
	if err != nil {
		return err
	}
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		return err
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1 << 20, Max: old.Max}); err != nil {
		return err
	}
	stream := newStream(1)
	var records []store.Record
	for err = nil; err == nil; {
		records = stream.records(100)
		err = s.Commit(ctx, store.Batch{Records: records})
	}
	last, _ := s.Last(ctx)
	fmt.Fprintln(out, last)
	fmt.Fprintln(out, errors.Is(err, store.ErrFull), strings.ReplaceAll(err.Error(), "\n", " "))
	if err := s.Commit(ctx, store.Batch{Records: records}); !errors.Is(err, store.ErrFull) {
		return fmt.Errorf("the second try: %w", err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		return err
	}
	if err := s.Commit(ctx, store.Batch{Records: records}); err != nil {
		return fmt.Errorf("with room again: %w", err)
	}
	return s.Close()
}

// A full disk is an error that says so and names the file. Nothing of the batch
// is in the state, and when there is room again the same commit works.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	out, err := child(t, "fill the disk", dir).Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(out), "\n")
	last, err := strconv.Atoi(lines[0])
	if err != nil || last == 0 || last%100 != 0 {
		t.Errorf("after the failure there are %q documents, want some hundreds", lines[0])
	}
	if !strings.HasPrefix(lines[1], "true ") || !strings.Contains(lines[1], statePath(dir)) || !strings.Contains(lines[1], "free some") {
		t.Errorf("the error is %q", lines[1])
	}
	stream := newStream(1)
	records := stream.records(last + 100)
	got := mustRead(t, open(t, dir))
	wantSame(t, "journal", got.Records, records)
	wantSame(t, "members", got.Members, stream.members())
}

func holdTheLock(dir string, out io.Writer) error {
	s, err := store.Create(context.Background(), dir, testIdentity)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "held")
	_, err = io.Copy(io.Discard, os.Stdin)
	return errors.Join(err, s.Close())
}

// One process writes a state. A second one is told which that is; when it has
// ended, even by a kill, the state is free.
func TestLockedByAnotherProcess(t *testing.T) {
	dir := t.TempDir()
	cmd := child(t, "hold the lock", dir)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if !bufio.NewScanner(out).Scan() {
		t.Fatal("the process did not take the lock")
	}
	_, err = store.Open(t.Context(), dir)
	wantError(t, err, store.ErrLocked)
	for _, part := range []string{fmt.Sprintf("process %d", cmd.Process.Pid), dir} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not name %s", err, part)
		}
	}
	_, err = store.Create(t.Context(), dir, testIdentity)
	wantError(t, err, store.ErrLocked)
	wantSame(t, "identity", openReader(t, dir).Identity(), testIdentity)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	open(t, dir)
}

// withoutRights says what comes of creating, opening and reading a state.
func withoutRights(dir string, out io.Writer) error {
	ctx := context.Background()
	_, created := store.Create(ctx, dir+"/new", testIdentity)
	_, opened := store.Open(ctx, dir)
	_, read := store.OpenReader(ctx, dir)
	for _, err := range []error{created, opened, read} {
		fmt.Fprintln(out, err)
	}
	return nil
}

// In a folder that may not be written, the error says what was refused.
func TestFolderWithoutRights(t *testing.T) {
	dir, err := os.MkdirTemp("", "store-rights")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	closeStore(t, create(t, dir))
	cmd := child(t, "without rights", dir)
	if os.Geteuid() == 0 {
		asNobody(t, cmd)
		for _, name := range []string{dir, statePath(dir), dir + "/lock"} {
			if err := os.Chown(name, nobody, nobody); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		"creating state folder: mkdir " + dir + "/new: permission denied",
		"opening state: " + statePath(dir) + ": unable to open database file (14); it and its folder must be open to reading and writing",
		"opening state: " + statePath(dir) + ": unable to open database file (14); it and its folder must be open to reading and writing",
	} {
		if line := strings.Split(string(out), "\n")[i]; !strings.HasPrefix(line, want) {
			t.Errorf("got %q, want %q", line, want)
		}
	}
}

// nobody is a user without rights.
const nobody = 65534

// asNobody has a command run without the rights of root, for whom nothing is
// forbidden, in a copy that others may run.
func asNobody(t *testing.T, cmd *exec.Cmd) {
	dir, err := os.MkdirTemp("", "store-nobody")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	program, err := os.ReadFile(cmd.Path)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Path = dir + "/test"
	if err := errors.Join(os.Chmod(dir, 0o755), os.WriteFile(cmd.Path, program, 0o755)); err != nil {
		t.Fatal(err)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
}
