package store_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"starling/store"
)

// A backup is a state that holds what the other held, and goes on by itself. It
// can be made by the writer, and by a reader beside it.
func TestBackup(t *testing.T) {
	dir, backups := t.TempDir(), t.TempDir()
	s := create(t, dir)
	s.SetIndexEvery(70)
	stream := newStream(1)
	commit(t, s, store.Batch{Records: stream.records(300), Snapshot: snapshotOf(100)})
	commit(t, s, store.Batch{Records: stream.records(50), Snapshot: snapshotOf(350), DeadLetters: []store.DeadLetter{{Reason: "a reason"}}})
	trim(t, s, store.Retention{Documents: 300, Unpublished: true})
	for name, from := range map[string]*store.Store{"writer": s, "reader": openReader(t, dir)} {
		want := mustRead(t, s)
		dest := filepath.Join(backups, name)
		if err := from.Backup(t.Context(), dest, nil); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(statePath(dest))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the file has mode %v, %v", info.Mode(), err)
		}
		wantSame(t, "what a reader reads", mustRead(t, openReader(t, dest)), want)
		wantSame(t, "what is read", mustRead(t, open(t, dest)), want)
		commit(t, s, store.Batch{Records: stream.records(10)})
	}
	if entries, err := os.ReadDir(backups); err != nil || len(entries) != 2 {
		t.Errorf("the folder has %v, %v", entries, err)
	}
}

// A backup that cannot be made leaves nothing behind, and touches nothing.
func TestBackupThatFails(t *testing.T) {
	dir, backups := t.TempDir(), t.TempDir()
	s := create(t, dir)
	commit(t, s, store.Batch{Records: newStream(1).records(30)})
	if err := s.Backup(t.Context(), dir, nil); !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), dir) {
		t.Errorf("over what is there: %v", err)
	}
	if err := s.Backup(t.Context(), filepath.Join(backups, "no", "such"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in a folder that is not there: %v", err)
	}
	closeStore(t, s)
	alter(t, statePath(dir), "UPDATE documents SET text = 'another' WHERE seq = 7")
	err := openReader(t, dir).Backup(t.Context(), filepath.Join(backups, "damaged"), nil)
	if err == nil || !strings.Contains(err.Error(), "document 7 does not match its checksum") {
		t.Errorf("of a damaged state: %v", err)
	}
	if entries, err := os.ReadDir(backups); err != nil || len(entries) != 0 {
		t.Errorf("the folder has %v, %v", entries, err)
	}
}
