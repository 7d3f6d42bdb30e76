package store_test

import (
	"bytes"
	"compress/gzip"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"

	"starling"
	"starling/store"
)

// ofVersion returns the file of a state as the program that knew no later version
// wrote it: 200 documents, 80 of them waiting, and, in version 1, merges of
// clusters, in version 2 splits and joined micro-clusters too, in version 3 a
// cluster that was renamed and two documents that were deleted, in version 4 one that
// was deleted, 30 that left and a dead letter that was settled.
func ofVersion(t *testing.T, version int) []byte {
	t.Helper()
	file, err := os.Open(fmt.Sprintf("testdata/version%d.db.gz", version))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	plain, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(plain)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// folderOf returns a folder with a file of a state.
func folderOf(t *testing.T, file []byte) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(statePath(dir), file, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A file of every version there has been opens, and is of the newest then.
func TestMigrations(t *testing.T) {
	for version := 1; version <= store.Versions(); version++ {
		dir := t.TempDir()
		if err := store.CreateVersion(t.Context(), statePath(dir), testIdentity, version); err != nil {
			t.Fatal(err)
		}
		s := open(t, dir)
		stream := newStream(1)
		commit(t, s, store.Batch{Records: stream.records(300)})
		wantSame(t, "members", mustRead(t, s).Members, stream.members())
	}
}

// What a file of version 1 holds is there in the newest, and goes on from there:
// its micro-clusters move, and what joins one takes its documents along.
func TestMigrationFromVersion1(t *testing.T) {
	dir := folderOf(t, ofVersion(t, 1))
	_, err := store.OpenReader(t.Context(), dir)
	if want := fmt.Sprintf("has version 1 and this program reads version %d; open it once for writing", store.Versions()); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got the error %v, want one that says what to do", err)
	}
	s := open(t, dir)
	s.SetIndexEvery(1)
	want := newNaive()
	got := mustRead(t, s)
	for _, u := range got.Updates {
		want.follow(u)
	}
	wantSame(t, "members", got.Members, want.members())
	wantSame(t, "documents, snapshots and dead letters", []int{len(got.Updates), len(got.Snapshots), len(got.DeadLetters)}, []int{200, 2, 5})
	wantSame(t, "published", got.Published, int64(77))

	next := starling.Update{
		Seq: 201, Document: starling.Document{ID: "id-201", Text: "text"}, Assignment: starling.Assignment{Cluster: 99, Micro: 99},
		Events: []starling.Event{
			{Kind: starling.Joined, Micros: []starling.MicroID{1, 3}, Into: 2, To: 98},
			{Kind: starling.Split, From: []starling.ClusterID{98}, Micros: []starling.MicroID{2, 4}, To: 97},
		},
	}
	commit(t, s, store.Batch{Records: []store.Record{{Update: next, Embedding: make([]float32, testIdentity.Dim)}}})
	want.follow(next)
	wantSame(t, "members after a regrouping", mustRead(t, s).Members, want.members())
}

// What a file of version 2 holds is there in the newest, and can be edited.
func TestMigrationFromVersion2(t *testing.T) {
	s := open(t, folderOf(t, ofVersion(t, 2)))
	want := newStream(7)
	want.records(200)
	got := mustRead(t, s)
	wantSame(t, "members", got.Members, want.members())
	wantSame(t, "snapshots and edits", []int{len(got.Snapshots), len(got.Edits)}, []int{2, 0})
	for number, seq := range []int64{1, 200} {
		commit(t, s, deletion(int64(number)+1, 200, seq))
		want.erase(seq)
	}
	wantSame(t, "members after deletions", mustRead(t, s).Members, want.members())
}

// What a file of version 3 holds is there in the newest.
func TestMigrationFromVersion3(t *testing.T) {
	s := open(t, folderOf(t, ofVersion(t, 3)))
	want := newStream(7)
	want.records(200)
	want.erase(3)
	want.erase(190)
	got := mustRead(t, s)
	wantSame(t, "members", got.Members, want.members())
	wantSame(t, "snapshots, edits and dead letters", []int{len(got.Snapshots), len(got.Edits), len(got.DeadLetters)}, []int{2, 3, 5})
	wantSame(t, "published", got.Published, int64(77))
	commit(t, s, store.Batch{Records: want.records(100)})
	wantSame(t, "members after a commit", mustRead(t, s).Members, want.members())
}

// What a file of version 4 holds is there in the newest, and its dead letters can be
// sent on.
func TestMigrationFromVersion4(t *testing.T) {
	s := open(t, folderOf(t, ofVersion(t, 4)))
	got := mustRead(t, s)
	wantSame(t, "documents, snapshots, edits and dead letters", []int{len(got.Updates), len(got.Snapshots), len(got.Edits), len(got.DeadLetters)}, []int{170, 2, 1, 4})
	wantSame(t, "published", got.Published, int64(77))
	for _, want := range []int64{0, 4} {
		sent, err := s.SentDeadLetters(t.Context())
		if err != nil || sent != want {
			t.Errorf("dead letter %d was sent (%v), want %d", sent, err, want)
		}
		if err := s.SetSentDeadLetters(t.Context(), 4); err != nil {
			t.Fatal(err)
		}
	}
	due, err := s.DueDeadLetters(t.Context(), 4, 10)
	if err != nil || len(due) != 1 || due[0].Number != 5 || due[0].MessageID != "4" {
		t.Errorf("the dead letters after 4 are %+v, %v", due, err)
	}
	if err := s.SetSentDeadLetters(t.Context(), 6); err == nil {
		t.Error("a dead letter was sent that there is not")
	}
}

// The migration to version 2 makes the index again by which damage of the table
// of micro-clusters is found. So it looks for damage first: whatever byte of the
// table or the index is damaged, it is refused, and the file stays as it is.
func TestMigrationFindsDamage(t *testing.T) {
	file := ofVersion(t, 1)
	micros := readMicros(t, file)
	found := 0
	for _, name := range []string{"micros", "micros_by_cluster"} {
		used := usedOf(t, file, name)
		for at := 0; at < len(used); at += 5 {
			damaged := bytes.Clone(file)
			damaged[used[at]] ^= 1 << (at % 8)
			dir := folderOf(t, damaged)
			s, err := store.Open(t.Context(), dir)
			switch {
			case err == nil:
				closeStore(t, s)
				if got := readMicros(t, readFile(t, dir)); !reflect.DeepEqual(got, micros) {
					t.Fatalf("byte %d of %s is damaged and nobody minds", used[at], name)
				}
			case !errors.Is(err, store.ErrDamaged) || !bytes.Equal(readFile(t, dir), damaged):
				t.Fatalf("byte %d of %s: got the error %v, want ErrDamaged and the file left as it is", used[at], name, err)
			default:
				found++
			}
		}
	}
	if found < 100 {
		t.Errorf("damage was found %d times; too few for a test", found)
	}
}

func readFile(t *testing.T, dir string) []byte {
	t.Helper()
	data, err := os.ReadFile(statePath(dir))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// readMicros returns the rows of the table of micro-clusters in a file, as SQLite
// finds them without the index.
func readMicros(t *testing.T, file []byte) (rows []string) {
	t.Helper()
	db, err := sql.Open("sqlite", statePath(folderOf(t, file)))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // of a copy
	all, err := db.Query("SELECT micro, cluster, members FROM micros NOT INDEXED ORDER BY micro")
	if err != nil {
		t.Fatal(err)
	}
	defer all.Close() //nolint:errcheck // Err says what it would say
	for all.Next() {
		var micro, cluster, members int64
		if err := all.Scan(&micro, &cluster, &members); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, fmt.Sprint(micro, cluster, members))
	}
	if err := all.Err(); err != nil {
		t.Fatal(err)
	}
	return rows
}

// A later version of the program brings the file up to date when it opens it
// for writing, once, and keeps what is in it.
func TestMigrationToALaterVersion(t *testing.T) {
	dir := closedState(t)
	defer store.AddVersion("CREATE TABLE later (x INTEGER) STRICT; INSERT INTO later VALUES (1);")()
	_, err := store.OpenReader(t.Context(), dir)
	if want := fmt.Sprintf("has version %d and this program reads version %d", store.Versions()-1, store.Versions()); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got the error %v, want one that says %q", err, want)
	}
	for range 2 {
		s := open(t, dir)
		wantSame(t, "number of documents", mustRead(t, s).Last, int64(5))
		closeStore(t, s)
	}
	wantSame(t, "number of documents", mustRead(t, openReader(t, dir)).Last, int64(5))
	alter(t, statePath(dir), "DELETE FROM later WHERE x = 1")
}

// A migration that fails leaves the file as it was, for the program it is of.
func TestMigrationThatFails(t *testing.T) {
	dir := closedState(t)
	restore := store.AddVersion("CREATE TABLE later (x INTEGER) STRICT; INSERT INTO nowhere VALUES (1);")
	_, err := store.Open(t.Context(), dir)
	restore()
	if err == nil || !strings.Contains(err.Error(), "migrating state") || !strings.Contains(err.Error(), dir) {
		t.Errorf("got the error %v, want one that says what failed and names the file", err)
	}
	wantSame(t, "number of documents", mustRead(t, open(t, dir)).Last, int64(5))
}
