package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"starling/store"
)

// alter runs SQL on the file of a closed state, as another program would.
func alter(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// closedState makes a state, closes it and returns its folder.
func closedState(t *testing.T) string {
	dir := t.TempDir()
	s := create(t, dir)
	commit(t, s, store.Batch{Records: newStream(1).records(5)})
	closeStore(t, s)
	return dir
}

func TestOpenErrors(t *testing.T) {
	overwrite := func(data []byte) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	sqlDoes := func(statement string) func(*testing.T, string) {
		return func(t *testing.T, path string) { alter(t, path, statement) }
	}
	tests := map[string]struct {
		do   func(t *testing.T, path string)
		want error
		says string
	}{
		"no file": {func(t *testing.T, path string) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}, fs.ErrNotExist, "no starling.db there"},
		"empty file":         {overwrite(nil), store.ErrDamaged, "not a Starling state"},
		"text":               {overwrite(bytes.Repeat([]byte("text "), 10_000)), store.ErrDamaged, "not a database"},
		"zeros":              {overwrite(make([]byte, 64<<10)), store.ErrDamaged, "not a database"},
		"another program's":  {sqlDoes("PRAGMA application_id = 7"), store.ErrDamaged, "not a Starling state"},
		"a newer version":    {sqlDoes(fmt.Sprintf("PRAGMA user_version = %d", store.Versions()+1)), store.ErrNewer, "use the program that wrote it"},
		"no version":         {sqlDoes("PRAGMA user_version = 0"), store.ErrDamaged, "no version"},
		"no identity":        {sqlDoes("DELETE FROM identity"), store.ErrDamaged, "reading identity"},
		"another identity":   {sqlDoes("UPDATE identity SET model = 'x'"), store.ErrDamaged, "reading identity"},
		"no progress":        {sqlDoes("DELETE FROM progress"), store.ErrDamaged, "reading progress"},
		"another progress":   {sqlDoes("UPDATE progress SET indexed = 1"), store.ErrDamaged, "reading progress"},
		"no last document":   {sqlDoes("DELETE FROM documents WHERE seq = 5"), store.ErrDamaged, "has documents 1 to 4, not 1 to 5"},
		"no table":           {sqlDoes("DROP TABLE documents"), store.ErrDamaged, "documents"},
		"no column":          {sqlDoes("ALTER TABLE documents DROP COLUMN events"), store.ErrDamaged, "events"},
		"a document changed": {sqlDoes("UPDATE documents SET micro = 9 WHERE seq = 4"), store.ErrDamaged, "document 4 does not match"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := closedState(t)
			path := statePath(dir)
			test.do(t, path)
			check := func(err error) {
				t.Helper()
				wantError(t, err, test.want)
				if !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), dir) {
					t.Errorf("%q does not say %q and name %s", err, test.says, dir)
				}
			}
			_, err := store.Open(t.Context(), dir)
			check(err)
			s, err := store.OpenReader(t.Context(), dir)
			if err == nil {
				_, err = read(t, s)
				closeStore(t, s)
			}
			check(err)
		})
	}
}

func TestOpenWhereNothingIs(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "none")
	_, err := store.Open(t.Context(), dir)
	wantError(t, err, fs.ErrNotExist)
	_, err = store.OpenReader(t.Context(), dir)
	wantError(t, err, fs.ErrNotExist)
	if store.Exists(dir) {
		t.Error("there is a state")
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("looking made the folder: %v", err)
	}
}

func TestCreateErrors(t *testing.T) {
	for says, id := range map[string]store.Identity{
		"no model":                {Dim: 8},
		"dimension 0, want 1":     {Model: "m"},
		"dimension 65537, want 1": {Model: "m", Dim: store.MaxDim + 1},
	} {
		_, err := store.Create(t.Context(), t.TempDir(), id)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got the error %v, want one that says %q", err, says)
		}
	}
	dir := closedState(t)
	_, err := store.Create(t.Context(), dir, testIdentity)
	wantError(t, err, fs.ErrExist)
	wantSame(t, "number of documents", mustRead(t, open(t, dir)).Last, int64(5))
}

// Folders are named by users.
func TestFoldersOfOddNames(t *testing.T) {
	for _, name := range []string{"with space", "100%", "what?mode=memory", "a#b", "ü€", "-", "a&b=c;d"} {
		dir := filepath.Join(t.TempDir(), name)
		s := create(t, dir)
		commit(t, s, store.Batch{Records: newStream(1).records(3)})
		closeStore(t, s)
		if _, err := os.Stat(statePath(dir)); err != nil {
			t.Error(err)
		}
		wantSame(t, "number of documents", mustRead(t, openReader(t, dir)).Last, int64(3))
	}
}

// Texts of others are nobody's business.
func TestFilesAreTheOwners(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	s := create(t, dir)
	commit(t, s, store.Batch{Records: newStream(1).records(3)})
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has the mode %v", entry.Name(), info.Mode())
		}
		names = append(names, entry.Name())
	}
	wantSame(t, "files", names, []string{"lock", "starling.db", "starling.db-shm", "starling.db-wal"})
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder has the mode %v, %v", info.Mode(), err)
	}
	closeStore(t, s)
	if entries, err = os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("a closed state is the files %v, %v", entries, err)
	}
}

// A second store of the same process is refused as one of another would be.
func TestLocked(t *testing.T) {
	dir := t.TempDir()
	s := create(t, dir)
	for range 2 { // the refusal does not loosen the lock
		_, err := store.Open(t.Context(), dir)
		wantError(t, err, store.ErrLocked)
		if want := fmt.Sprintf("process %d", os.Getpid()); !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%q does not name %s and %s", err, want, dir)
		}
	}
	closeStore(t, s)
	open(t, dir)
}

// What fails to open holds no lock.
func TestFailureGivesUpTheLock(t *testing.T) {
	dir := closedState(t)
	alter(t, statePath(dir), "UPDATE identity SET model = 'x'")
	_, err := store.Open(t.Context(), dir)
	wantError(t, err, store.ErrDamaged)
	alter(t, statePath(dir), "UPDATE identity SET model = 'test/model'")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = store.Open(ended, dir)
	wantError(t, err, context.Canceled)
	open(t, dir)
}

// A creation that was interrupted at any point leaves no state, and the next
// one is not bothered by what it left.
func TestCreateAfterInterruptedCreate(t *testing.T) {
	whole, err := os.ReadFile(statePath(closedState(t)))
	if err != nil {
		t.Fatal(err)
	}
	for _, data := range [][]byte{nil, whole[:100], whole[:len(whole)/2], whole, []byte("garbage")} {
		dir := t.TempDir()
		for _, suffix := range []string{".new", ".new-wal", ".new-shm", ".new-journal", "-wal", "-shm"} {
			if err := os.WriteFile(statePath(dir)+suffix, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if store.Exists(dir) {
			t.Fatal("a draft counts as a state")
		}
		s := create(t, dir)
		commit(t, s, store.Batch{Records: newStream(3).records(5)})
		wantSame(t, "number of documents", mustRead(t, s).Last, int64(5))
		closeStore(t, s)
		wantSame(t, "number of documents", mustRead(t, open(t, dir)).Last, int64(5))
	}
}

// A reader beside the writer sees what is committed, the moment it is, and
// keeps nobody from writing.
func TestReaderBesideWriter(t *testing.T) {
	dir := t.TempDir()
	s := create(t, dir)
	s.SetIndexEvery(7)
	reader, again := openReader(t, dir), openReader(t, dir)
	stream := newStream(1)
	for range 10 {
		commit(t, s, store.Batch{Records: stream.records(3)})
		for _, r := range []*store.Store{reader, again} {
			got := mustRead(t, r)
			wantSame(t, "members", got.Members, stream.members())
			wantSame(t, "number of documents", got.Last, stream.seq)
		}
	}
	closeStore(t, s)
	wantSame(t, "members after the writer", mustRead(t, reader).Members, stream.members())
	open(t, dir)
}

// A reader that iterates gets what was there when it began.
func TestReaderSeesOneMoment(t *testing.T) {
	dir := t.TempDir()
	s := create(t, dir)
	stream := newStream(1)
	commit(t, s, store.Batch{Records: stream.records(1000)})
	n := 0
	for _, err := range openReader(t, dir).Journal(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n%300 == 0 {
			commit(t, s, store.Batch{Records: stream.records(10)})
		}
	}
	wantSame(t, "documents", n, 1000)
}

func TestCheckModel(t *testing.T) {
	s := create(t, t.TempDir())
	same := testIdentity
	same.Settings, same.Model = "others", "a/folder/that/was/moved"
	if err := s.CheckModel(same); err != nil {
		t.Errorf("the same model is refused: %v", err)
	}
	for _, other := range []store.Identity{
		{Model: "other/model", Fingerprint: "beef", Dim: 8},
		{Model: "test/model", Fingerprint: "beef", Dim: 8},
		{Model: "test/model", Fingerprint: "f00d", Dim: 9},
	} {
		err := s.CheckModel(other)
		wantError(t, err, store.ErrModel)
		for _, id := range []store.Identity{testIdentity, other} {
			want := fmt.Sprintf("%q (fingerprint %q, %d dimensions)", id.Model, id.Fingerprint, id.Dim)
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q does not name %s", err, want)
			}
		}
	}
}
