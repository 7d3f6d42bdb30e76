package store_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"starling"
	"starling/store"
)

// versionBytes are where SQLite's header keeps the version of the schema: a
// larger one there is a newer version as far as anyone can tell, and a smaller one an
// older version to whoever reads only.
const versionBytes, versionEnd = 60, 64

// writeVersion is the byte that says whether this SQLite can write the file.
const writeVersion = 18

// damagedDropped is how many documents have left the damaged state.
const damagedDropped = 60

// damagedState is a closed state with something in every table, part of its
// documents waiting, and what it holds.
func damagedState(t *testing.T) ([]byte, contents) {
	dir := t.TempDir()
	s := create(t, dir)
	s.SetIndexEvery(120)
	stream := newStream(5)
	for i := range 7 {
		b := store.Batch{Records: stream.records(50)}
		b.DeadLetters = []store.DeadLetter{{MessageID: fmt.Sprint(i), Reason: "a reason", Body: []byte("a body"), Attributes: map[string]string{"a": "b"}}}
		b.Snapshot = &store.Snapshot{Seq: stream.seq, Data: bytes.Repeat([]byte{byte(i)}, 40_000)}
		commit(t, s, b)
	}
	edit := store.EditRecord{Number: 1, Seq: stream.seq, Edit: starling.Edit{Kind: starling.EditRename, Cluster: 1, Name: "a name"}}
	edit.Events = []starling.Event{{Kind: starling.Renamed, To: 1, Name: "a name"}}
	commit(t, s, store.Batch{Edits: []store.EditRecord{edit}})
	commit(t, s, store.Batch{Settled: []int64{2}})
	if n, err := s.Trim(t.Context(), store.Retention{Documents: 350 - damagedDropped, Unpublished: true}); err != nil || n != damagedDropped {
		t.Fatalf("%d documents left, %v", n, err)
	}
	for number, seq := range []int64{103, 340} { // one that is in the table of members, and one that waits
		commit(t, s, deletion(int64(number)+2, stream.seq, seq))
		stream.erase(seq)
	}
	if err := s.SetPublished(t.Context(), 77); err != nil {
		t.Fatal(err)
	}
	want := mustRead(t, s, absentIDs...)
	closeStore(t, s)
	file, err := os.ReadFile(statePath(dir))
	if err != nil {
		t.Fatal(err)
	}
	return file, want
}

// absentIDs are not in the state, and it must say so.
var absentIDs = func() (ids []string) {
	for i := range 300 {
		ids = append(ids, fmt.Sprintf("absent-%d", i))
	}
	return ids
}()

// A blow is one way to damage a file. It returns what it did.
type blow func(random *rand.Rand, file []byte) ([]byte, string)

var blows = []blow{
	func(random *rand.Rand, file []byte) ([]byte, string) {
		at, bit := random.IntN(len(file)), random.IntN(8)
		file[at] ^= 1 << bit
		return file, fmt.Sprintf("bit %d of byte %d flipped", bit, at)
	},
	func(random *rand.Rand, file []byte) ([]byte, string) {
		at, value := random.IntN(len(file)), byte(random.Uint32())
		file[at] = value
		return file, fmt.Sprintf("byte %d set to %d", at, value)
	},
	func(random *rand.Rand, file []byte) ([]byte, string) {
		at := random.IntN(len(file))
		n := min(len(file)-at, 1<<random.IntN(16))
		clear(file[at : at+n])
		return file, fmt.Sprintf("%d bytes from %d zeroed", n, at)
	},
	func(random *rand.Rand, file []byte) ([]byte, string) {
		n := random.IntN(len(file))
		return file[:n], fmt.Sprintf("cut to %d bytes", n)
	},
	func(random *rand.Rand, file []byte) ([]byte, string) {
		const page = 16 << 10
		from, to := random.IntN(len(file)/page), random.IntN(len(file)/page)
		copy(file[to*page:(to+1)*page], file[from*page:(from+1)*page])
		return file, fmt.Sprintf("page %d copied over page %d", from, to)
	},
	func(random *rand.Rand, file []byte) ([]byte, string) {
		const page = 16 << 10
		at := random.IntN(len(file)/page)*page + random.IntN(12) // the head of a page of a tree
		file[at] ^= 1 << random.IntN(8)
		return file, fmt.Sprintf("a bit of byte %d flipped", at)
	},
	func(random *rand.Rand, file []byte) ([]byte, string) {
		at := random.IntN(100) // the head of the file
		file[at] ^= 1 << random.IntN(8)
		return file, fmt.Sprintf("a bit of byte %d flipped", at)
	},
}

// However a file is damaged, reading everything from it gives either what was
// written or an error that says so and names the file.
func TestDamage(t *testing.T) {
	file, want := damagedState(t)
	random := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	outcomes := make(map[string]int)
	trials := 154
	if os.Getenv(soakSetting) != "" {
		trials = 10_000
	}
	for trial := range trials {
		damaged, what := blows[trial%len(blows)](random, bytes.Clone(file))
		dir := t.TempDir()
		if err := os.WriteFile(statePath(dir), damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		another := differ(damaged, file, versionBytes, versionEnd)
		got, err := readDamaged(t, dir, trial%3 == 0)
		switch {
		case err == nil && !reflect.DeepEqual(got, want):
			t.Fatalf("%s: the state is read as another one:\n%s", what, firstDifference(got, want))
		case err == nil:
			outcomes["no harm done"]++
		case another && strings.Contains(err.Error(), "open it once for writing"):
			outcomes["of an older version"]++
		case another && errors.Is(err, store.ErrNewer):
			outcomes["of a newer version"]++
		case errors.Is(err, store.ErrDamaged) && strings.Contains(err.Error(), statePath(dir)):
			outcomes["found"]++
		default:
			t.Errorf("%s: the error %q is not ErrDamaged or does not name the file", what, err)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	t.Log(outcomes)
	if outcomes["found"] < 50 {
		t.Errorf("damage was found in %d cases; too few for a test", outcomes["found"])
	}
}

// The rows that say what became of micro-clusters have no checksum: that they and
// their index say the same shows damage of either.
func TestDamagedMicros(t *testing.T) {
	file, want := damagedState(t)
	random := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	found, trials := 0, 0
	for _, name := range []string{"micros", "micros_by_place"} {
		for _, at := range usedOf(t, file, name) {
			if random.IntN(16) > 0 {
				continue
			}
			trials++
			damaged := bytes.Clone(file)
			damaged[at] ^= byte(1 + random.IntN(255))
			dir := folderOf(t, damaged)
			got, err := readDamaged(t, dir, random.IntN(2) > 0)
			switch {
			case err == nil && !reflect.DeepEqual(got, want):
				t.Fatalf("byte %d, of %s, set to %d: the state is read as another one:\n%s", at, name, damaged[at], firstDifference(got, want))
			case err != nil && !errors.Is(err, store.ErrDamaged):
				t.Errorf("byte %d, of %s, set to %d: the error %q is not ErrDamaged", at, name, damaged[at], err)
			case err != nil:
				found++
			}
		}
	}
	t.Logf("damage was found in %d of %d cases", found, trials)
	if found < trials/2 || found == 0 {
		t.Errorf("damage was found in %d of %d cases; too few for a test", found, trials)
	}
}

// usedOf returns where in a file the bytes are of the head and the cells of a table
// or an index that fits a page. Nobody reads what lies between those.
func usedOf(t *testing.T, file []byte, name string) (places []int) {
	t.Helper()
	db, err := sql.Open("sqlite", statePath(folderOf(t, file)))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // of a copy
	var page int
	if err := db.QueryRow("SELECT rootpage FROM sqlite_schema WHERE name = ?", name).Scan(&page); err != nil {
		t.Fatal(err)
	}
	const size = 16 << 10
	first := (page - 1) * size
	const header = 8 // of a leaf page, see SQLite's file format
	cells := int(file[first+3])<<8 | int(file[first+4])
	content := int(file[first+5])<<8 | int(file[first+6])
	if kind := file[first]; (kind != 0x0d && kind != 0x0a) || cells == 0 {
		t.Fatalf("%s is no leaf page with cells", name)
	}
	for at := range size {
		if at < header+2*cells || at >= content {
			places = append(places, first+at)
		}
	}
	return places
}

// differ says whether a damaged file differs from what it was between two places.
func differ(damaged, file []byte, from, to int) bool {
	return !bytes.Equal(damaged[min(from, len(damaged)):min(to, len(damaged))], file[from:to])
}

// readDamaged reads everything from a state, opened for writing or reading.
func readDamaged(t *testing.T, dir string, writing bool) (contents, error) {
	openEither := store.OpenReader
	if writing {
		openEither = store.Open
	}
	s, err := openEither(t.Context(), dir)
	if err != nil {
		return contents{}, err
	}
	got, err := read(t, s, absentIDs...)
	return got, errors.Join(err, s.Close())
}

// A damaged file that opens for writing takes a commit or refuses it, and what
// it held is there afterwards or an error says that it is not.
func TestCommitToDamaged(t *testing.T) {
	file, want := damagedState(t)
	random := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	next := newStream(5)
	next.records(int(want.Last))
	next.erase(103)
	next.erase(340)
	records := next.records(200) // enough for the tables to be entered
	kept := slices.DeleteFunc(next.members(), func(u starling.Update) bool { return u.Seq <= damagedDropped })
	for trial := range 49 {
		damaged, what := blows[trial%len(blows)](random, bytes.Clone(file))
		dir := t.TempDir()
		if err := os.WriteFile(statePath(dir), damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := commitToDamaged(t, dir, store.Batch{Records: records})
		switch {
		case err == nil && (!reflect.DeepEqual(got.Members, kept) || !reflect.DeepEqual(got.DeadLetters, want.DeadLetters)):
			t.Fatalf("%s: after a commit the state is another one:\n%s", what, firstDifference(got, want))
		case err != nil && differ(damaged, file, writeVersion, writeVersion+1): // SQLite takes it for one to be read only
		case err != nil && !errors.Is(err, store.ErrDamaged) && !errors.Is(err, store.ErrNewer):
			t.Errorf("%s: the error %q is not ErrDamaged", what, err)
		}
	}
}

func commitToDamaged(t *testing.T, dir string, b store.Batch) (contents, error) {
	s, err := store.Open(t.Context(), dir)
	if err != nil {
		return contents{}, err
	}
	s.SetIndexEvery(120)
	if err := errors.Join(s.Commit(t.Context(), b), s.Close()); err != nil {
		return contents{}, err
	}
	return readDamaged(t, dir, false)
}

func firstDifference(got, want contents) string {
	g, w := reflect.ValueOf(got), reflect.ValueOf(want)
	for i := range g.NumField() {
		a, b := g.Field(i), w.Field(i)
		if reflect.DeepEqual(a.Interface(), b.Interface()) {
			continue
		}
		if a.Kind() == reflect.Slice || a.Kind() == reflect.Map {
			return fmt.Sprintf("%s: %d values for %d", g.Type().Field(i).Name, a.Len(), b.Len())
		}
		return fmt.Sprintf("%s: %v for %v", g.Type().Field(i).Name, a, b)
	}
	return "none"
}
