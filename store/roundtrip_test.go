package store_test

import (
	"database/sql"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"starling"
	"starling/store"
	"starling/vec"
)

// oddRecords have what a careless format would lose.
func oddRecords() []store.Record {
	odd := []starling.Document{
		{ID: "plain", Text: "as simple as can be"},
		{ID: "", Text: ""},
		{ID: "nul\x00inside", Text: "a\x00b\x00"},
		{ID: "\u202ebidi", Text: "é e\u0301 👩‍👩‍👧 \u200b\ufeff\U0010ffff \ufffd"},
		{ID: "'; DROP TABLE documents; --", Text: "<script>&amp;\u2028\u2029"},
		{ID: strings.Repeat("long", 1000), Text: strings.Repeat("ü", starling.MaxTextBytes/2)},
		{ID: "9007199254740993", Text: "0x10"},
		{ID: "time", Text: "t", Time: time.Date(2026, 2, 28, 23, 59, 59, 123456789, time.UTC)},
		{ID: "epoch", Text: "t", Time: time.Unix(0, 0).UTC()},
		{ID: "oldest", Text: "t", Time: time.Unix(0, math.MinInt64).UTC()},
		{ID: "newest", Text: "t", Time: time.Unix(0, math.MaxInt64).UTC()},
		{ID: "attributes", Text: "t", Attributes: map[string]string{"": "", "k\x00": "v\x00", "<": ">", "ключ": "значение"}},
	}
	records := make([]store.Record, len(odd))
	for i, d := range odd {
		records[i] = store.Record{
			Update:    starling.Update{Seq: int64(i + 1), Document: d, Assignment: starling.Assignment{Cluster: 1, Micro: 1}},
			Embedding: make([]float32, testIdentity.Dim),
		}
	}
	records[1].Similarity = -1
	records[2].Similarity = math.SmallestNonzeroFloat32
	records[3].Similarity = 0.25
	records[4].Assignment = starling.Assignment{Cluster: math.MaxInt64, Micro: math.MaxInt64, Similarity: 0.1}
	records[4].Embedding = []float32{float32(math.Inf(1)), float32(math.Copysign(0, -1)), math.MaxFloat32, math.SmallestNonzeroFloat32, 1, 2, 3, 4}
	records[5].Events = []starling.Event{
		{Kind: starling.Merged, From: []starling.ClusterID{7, 8, math.MaxUint64}, To: 1, Size: math.MaxInt64},
		{Kind: starling.Grew, To: 1, Size: 5},
		{Kind: "of a later version", To: 3},
	}
	return records
}

var oddLetters = []store.DeadLetter{
	{Reason: "nothing else is known"},
	{MessageID: "m1", DocumentID: "d\x00", Reason: "not UTF-8", Body: []byte{0xff, 0, 0xfe}, Attributes: map[string]string{"a": "b"}, Time: time.Unix(1, 1).UTC()},
	{MessageID: "", Reason: "a second one without a name", Body: []byte("body")},
}

// Everything comes back as it went in, from the store that wrote it and after
// it was closed, whether or not it was entered into the tables.
func TestRoundTrip(t *testing.T) {
	for _, indexEvery := range []int64{1, 5, 1000} {
		dir := t.TempDir()
		s := create(t, dir)
		s.SetIndexEvery(indexEvery)
		want := store.Batch{Records: oddRecords(), DeadLetters: oddLetters, Snapshot: &store.Snapshot{Seq: 3, Data: []byte("a\x00snapshot")}}
		commit(t, s, want)
		checkRoundTrip(t, s, want)
		closeStore(t, s)
		checkRoundTrip(t, open(t, dir), want)
		checkRoundTrip(t, openReader(t, dir), want)
	}
}

func checkRoundTrip(t *testing.T, s *store.Store, want store.Batch) {
	t.Helper()
	got := mustRead(t, s)
	wantSame(t, "identity", got.Identity, testIdentity)
	wantSame(t, "records", got.Records, want.Records)
	letters := slices.Clone(want.DeadLetters)
	for i := range letters {
		letters[i].Number = int64(i) + 1
	}
	wantSame(t, "dead letters", got.DeadLetters, letters)
	wantSame(t, "snapshots", got.Snapshots, []store.Snapshot{*want.Snapshot})
	for i, update := range got.Updates {
		wantSame(t, "an update", update, want.Records[i].Update)
	}
}

// What compares equal, or to nothing, is told apart by its bits.
func TestEmbeddingsKeepTheirBits(t *testing.T) {
	s := create(t, t.TempDir())
	records := newStream(1).records(1)
	nan := math.Float32frombits(0x7fc0_dead)
	records[0].Embedding = []float32{nan, float32(math.Copysign(0, -1)), float32(math.Inf(-1)), 0, 0, 0, 0, 0}
	commit(t, s, store.Batch{Records: records})
	for record, err := range s.Journal(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range record.Embedding {
			if got, want := math.Float32bits(v), math.Float32bits(records[0].Embedding[i]); got != want {
				t.Errorf("value %d has the bits %x, want %x", i, got, want)
			}
		}
	}
}

// Embeddings whose values are of half precision take half the room, and those beside
// them that are not keep all their bits.
func TestEmbeddingsOfHalfPrecisionTakeHalfTheRoom(t *testing.T) {
	dir := t.TempDir()
	s := create(t, dir)
	records := newStream(1).records(2)
	vec.RoundHalf(records[0].Embedding)
	records[1].Embedding[0] = 1 + 0x1p-20
	commit(t, s, store.Batch{Records: records})
	db, err := sql.Open("sqlite", statePath(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // only read
	var sizes [2]int
	for i := range sizes {
		if err := db.QueryRowContext(t.Context(), "SELECT length(embedding) FROM documents WHERE seq = ?", i+1).Scan(&sizes[i]); err != nil {
			t.Fatal(err)
		}
	}
	wantSame(t, "the sizes of the embeddings", sizes, [2]int{2 * testIdentity.Dim, 4 * testIdentity.Dim})
	i := 0
	for record, err := range s.Journal(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		wantSame(t, "an embedding", record.Embedding, records[i].Embedding)
		i++
	}
}

// SQLite does not keep the sign of zero, and a checksum is not to notice.
func TestSimilarityOfNegativeZero(t *testing.T) {
	s := create(t, t.TempDir())
	records := newStream(1).records(1)
	records[0].Similarity = float32(math.Copysign(0, -1))
	commit(t, s, store.Batch{Records: records})
	if got := mustRead(t, s).Updates[0].Similarity; got != 0 {
		t.Errorf("got similarity %v, want 0", got)
	}
}

// A time of another zone is the same moment in UTC; what is empty is nil.
func TestRoundTripNormalises(t *testing.T) {
	s := create(t, t.TempDir())
	records := newStream(1).records(1)
	records[0].Time = time.Date(2026, 1, 1, 12, 0, 0, 1, time.FixedZone("+2", 2*3600))
	records[0].Attributes = map[string]string{}
	records[0].Events = []starling.Event{}
	commit(t, s, store.Batch{Records: records})
	update := mustRead(t, s).Updates[0]
	wantSame(t, "time", update.Time, time.Date(2026, 1, 1, 10, 0, 0, 1, time.UTC))
	if update.Attributes != nil || update.Events != nil {
		t.Errorf("got %v and %v for what was empty", update.Attributes, update.Events)
	}
}

// Text that is not UTF-8 shows U+FFFD; the body is kept.
func TestDeadLettersOfOtherEncodings(t *testing.T) {
	s := create(t, t.TempDir())
	commit(t, s, store.Batch{DeadLetters: []store.DeadLetter{
		{MessageID: "m\xff", DocumentID: "\xfe", Reason: "because \xc3", Body: []byte{0xff}, Attributes: map[string]string{"\xff": "\xfe"}},
	}})
	got, err := collect2(s.DeadLetters(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "dead letter", got, []store.DeadLetter{
		{Number: 1, MessageID: "m\ufffd", DocumentID: "\ufffd", Reason: "because \ufffd", Body: []byte{0xff}, Attributes: map[string]string{"\ufffd": "\ufffd"}},
	})
}

// A dead letter whose time cannot be stored has none.
func TestDeadLettersOfOtherTimes(t *testing.T) {
	s := create(t, t.TempDir())
	for _, year := range []int{1, 1677, 2263, 99_999} {
		when := time.Date(year, 1, 1, 0, 0, 0, 1, time.UTC)
		commit(t, s, store.Batch{DeadLetters: []store.DeadLetter{{Reason: "its time", Time: when}}})
		record := newStream(1).records(1)
		if record[0].Time = when; s.Commit(t.Context(), store.Batch{Records: record}) == nil {
			t.Errorf("a document of the year %d was committed", year)
		}
	}
	for _, letter := range mustRead(t, s).DeadLetters {
		if !letter.Time.IsZero() {
			t.Errorf("a dead letter has the time %v", letter.Time)
		}
	}
}

// A message that comes again is one dead letter, the first; those without a
// name are told apart by nothing and all kept.
func TestDeadLettersOncePerMessage(t *testing.T) {
	s := create(t, t.TempDir())
	commit(t, s, store.Batch{DeadLetters: []store.DeadLetter{{MessageID: "a", Reason: "first"}, {MessageID: "a", Reason: "second"}, {Reason: "x"}}})
	commit(t, s, store.Batch{DeadLetters: []store.DeadLetter{{MessageID: "a", Reason: "third"}, {Reason: "x"}, {MessageID: "b"}}})
	want := []store.DeadLetter{
		{Number: 1, MessageID: "a", Reason: "first"}, {Number: 2, Reason: "x"}, {Number: 3, Reason: "x"}, {Number: 4, MessageID: "b"},
	}
	got, err := collect2(s.DeadLetters(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "dead letters", got, want)
}

// The two newest snapshots are kept, be they of one document or not.
func TestSnapshotsKeepsTwo(t *testing.T) {
	s := create(t, t.TempDir())
	commit(t, s, store.Batch{Records: newStream(1).records(9)})
	var kept []store.Snapshot
	for _, snapshot := range []store.Snapshot{{Seq: 0}, {Seq: 4, Data: []byte("4")}, {Seq: 7, Data: []byte("old")}, {Seq: 7, Data: []byte("new")}, {Seq: 9, Data: []byte("9")}} {
		commit(t, s, store.Batch{Snapshot: &snapshot})
		kept = append([]store.Snapshot{snapshot}, kept[:min(1, len(kept))]...)
		wantSame(t, "snapshots", mustRead(t, s).Snapshots, kept)
	}
}
