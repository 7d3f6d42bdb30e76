package store_test

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"starling"
	"starling/store"
)

// A model is what a state should be: everything in memory, the simple way.
type model struct {
	naive
	records   []store.Record
	snapshots []store.Snapshot
	letters   []store.DeadLetter
	lettered  int64 // dead letters so far
	edits     []store.EditRecord
	published int64
	dropped   int64
}

// apply takes in a batch, except for its records.
func (m *model) apply(b store.Batch) {
	for _, d := range b.DeadLetters {
		again := func(o store.DeadLetter) bool { return d.MessageID != "" && o.MessageID == d.MessageID }
		if !slices.ContainsFunc(m.letters, again) {
			m.lettered++
			d.Number = m.lettered
			m.letters = append(m.letters, d)
		}
	}
	if b.Snapshot != nil {
		m.snapshots = append(m.snapshots, *b.Snapshot)
	}
}

// of returns the documents of a cluster, 0 for all, where they are now.
func (m *model) of(cluster starling.ClusterID) []starling.Update {
	return slices.DeleteFunc(m.members(), func(u starling.Update) bool {
		return u.Seq <= m.dropped || cluster != 0 && u.Cluster != cluster
	})
}

// A machine does the same to a state and to its model, and compares what they
// say. Which actions run in which order, and with what, is for rapid to draw.
type machine struct {
	model      model
	trimming   bool // documents leave, and what ended is not spoken of again
	dir        string
	indexEvery int64
	store      *store.Store
	reader     *store.Store
	tb         testing.TB
}

// TestModel holds a state against its model.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp("", "store-model")
		if err != nil {
			rt.Fatal(err)
		}
		defer os.RemoveAll(dir) //nolint:errcheck // temporary
		m := &machine{
			model:      model{naive: newNaive()},
			dir:        dir,
			indexEvery: rapid.SampledFrom([]int64{1, 3, 20, 400}).Draw(rt, "index every"),
			trimming:   rapid.Bool().Draw(rt, "trimming"),
			tb:         t,
		}
		if m.store, err = store.Create(t.Context(), dir, testIdentity); err != nil {
			rt.Fatal(err)
		}
		m.store.SetIndexEvery(m.indexEvery)
		if m.reader, err = store.OpenReader(t.Context(), dir); err != nil {
			rt.Fatal(err)
		}
		rt.Repeat(map[string]func(*rapid.T){
			"commit":       m.commit,
			"commit many":  m.commitMany,
			"edit":         m.edit,
			"delete":       m.delete,
			"settle":       m.settle,
			"trim":         m.trim,
			"publish":      m.publish,
			"reopen":       m.reopen,
			"known":        m.known,
			"updates":      m.updates,
			"journal":      m.journal,
			"documents":    m.documents,
			"snapshots":    m.snapshots,
			"dead letters": m.deadLetters,
			"edits":        m.edits,
		})
		m.close(rt)
	})
}

func (m *machine) close(t *rapid.T) {
	if faults, err := m.either(t).Check(m.tb.Context(), nil); err != nil || len(faults) > 0 {
		t.Fatalf("a state that is whole has the faults %v, %v", faults, err)
	}
	if err := cmp.Or(m.store.Close(), m.reader.Close()); err != nil {
		t.Fatal(err)
	}
}

func (m *machine) reopen(t *rapid.T) {
	m.close(t)
	var err error
	if m.store, err = store.Open(m.tb.Context(), m.dir); err != nil {
		t.Fatal(err)
	}
	m.store.SetIndexEvery(m.indexEvery)
	if m.reader, err = store.OpenReader(m.tb.Context(), m.dir); err != nil {
		t.Fatal(err)
	}
}

// either is the store that writes or one that reads beside it.
func (m *machine) either(t *rapid.T) *store.Store {
	if rapid.Bool().Draw(t, "reader") {
		return m.reader
	}
	return m.store
}

func (m *machine) commit(t *rapid.T) { m.commitSome(t, rapid.IntRange(0, 5).Draw(t, "records")) }

// commitMany commits enough for the table of ids to grow.
func (m *machine) commitMany(t *rapid.T) {
	m.commitSome(t, rapid.IntRange(100, 300).Draw(t, "records"))
}

func (m *machine) commitSome(t *rapid.T, n int) {
	var b store.Batch
	for range n {
		record := m.drawRecord(t)
		m.model.follow(record.Update)
		m.model.records = append(m.model.records, record)
		b.Records = append(b.Records, record)
	}
	for range rapid.IntRange(0, 2).Draw(t, "letters") {
		b.DeadLetters = append(b.DeadLetters, store.DeadLetter{
			MessageID: rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(t, "message"),
			Reason:    rapid.String().Draw(t, "reason"),
			Body:      []byte(rapid.StringN(1, -1, -1).Draw(t, "body")),
		})
	}
	if rapid.Bool().Draw(t, "snapshot") {
		b.Snapshot = &store.Snapshot{Seq: int64(len(m.model.records)), Data: []byte(rapid.StringN(1, -1, -1).Draw(t, "data"))}
	}
	if err := m.store.Commit(m.tb.Context(), b); err != nil {
		t.Fatal(err)
	}
	m.model.apply(b)
}

// edit commits edits, perhaps after a document.
func (m *machine) edit(t *rapid.T) {
	var b store.Batch
	if rapid.Bool().Draw(t, "record") {
		record := m.drawRecord(t)
		m.model.follow(record.Update)
		m.model.records = append(m.model.records, record)
		b.Records = append(b.Records, record)
	}
	for range rapid.IntRange(1, 3).Draw(t, "edits") {
		e := m.nextEdit()
		e.Kind, e.Name = starling.EditRename, rapid.String().Draw(t, "name")
		if rapid.Bool().Draw(t, "events") {
			e.Events = rapid.SliceOfN(rapid.Custom(m.drawEvent), 1, 4).Draw(t, "events")
		}
		m.model.edits = append(m.model.edits, e)
		m.model.followEvents(e.Events)
		b.Edits = append(b.Edits, e)
	}
	if err := m.store.Commit(m.tb.Context(), b); err != nil {
		t.Fatal(err)
	}
}

func (m *machine) nextEdit() store.EditRecord {
	return store.EditRecord{Number: int64(len(m.model.edits) + 1), Seq: int64(len(m.model.records))}
}

// delete deletes a document, if there is one left.
func (m *machine) delete(t *rapid.T) {
	members := m.model.of(0)
	if len(members) == 0 {
		t.Skip("nothing to be deleted")
	}
	e := m.nextEdit()
	e.Kind, e.Document = starling.EditDelete, rapid.SampledFrom(members).Draw(t, "document").Seq
	snapshot := store.Snapshot{Seq: e.Seq, Data: []byte(rapid.StringN(1, -1, -1).Draw(t, "data"))}
	if err := m.store.Commit(m.tb.Context(), store.Batch{Edits: []store.EditRecord{e}, Snapshot: &snapshot}); err != nil {
		t.Fatal(err)
	}
	m.model.edits = append(m.model.edits, e)
	m.model.erase(e.Document)
	m.model.records[e.Document-1] = store.Record{Update: m.model.documents[e.Document-1], Embedding: []float32{}}
	m.model.snapshots = append(m.model.snapshots, snapshot, snapshot)
	if rapid.Bool().Draw(t, "scrub") {
		if err := m.store.Scrub(m.tb.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func (m *machine) edits(t *rapid.T) {
	got, err := m.either(t).Edits(m.tb.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "edits", got, m.model.edits)
}

// drawRecord draws a record, perhaps after a regrouping.
func (m *machine) drawRecord(t *rapid.T) store.Record {
	seq := int64(len(m.model.records) + 1)
	u := starling.Update{Seq: seq, Document: starling.Document{ID: fmt.Sprintf("%d-", seq), Text: fmt.Sprint("text ", seq)}}
	if seq%5 == 0 {
		u.ID += rapid.String().Draw(t, "id")
		u.Text = rapid.String().Draw(t, "text")
		u.Time = time.Unix(0, rapid.Int64().Draw(t, "time")).UTC()
		if attributes := rapid.MapOfN(rapid.String(), rapid.String(), 0, 3).Draw(t, "attributes"); len(attributes) > 0 {
			u.Attributes = attributes
		}
	}
	if rapid.IntRange(0, 9).Draw(t, "regroup") == 0 {
		u.Events = rapid.SliceOfN(rapid.Custom(m.drawEvent), 1, 4).Draw(t, "events")
	}
	u.Micro = m.drawMicro(t)
	u.Cluster = m.model.clusters[u.Micro]
	if u.Cluster == 0 || seq%7 == 0 {
		u.Cluster = m.drawCluster(t)
	}
	u.Similarity = rapid.Float32Range(0, 1).Draw(t, "similarity")
	vector := make([]float32, testIdentity.Dim)
	for i := range vector {
		vector[i] = u.Similarity * float32(i)
	}
	return store.Record{Update: u, Embedding: vector}
}

// settle deals with some dead letters, and gives others another reason.
func (m *machine) settle(t *rapid.T) {
	var b store.Batch
	var left []store.DeadLetter
	for _, letter := range m.model.letters {
		switch rapid.IntRange(0, 2).Draw(t, "what becomes of it") {
		case 0:
			b.Settled = append(b.Settled, letter.Number)
			continue
		case 1:
			letter.Reason = rapid.String().Draw(t, "reason")
			b.DeadLetters = append(b.DeadLetters, letter)
		}
		left = append(left, letter)
	}
	if err := m.store.Commit(m.tb.Context(), b); err != nil {
		t.Fatal(err)
	}
	m.model.letters = left
}

// trim has documents leave: as many as a retention allows, and none that are
// needed.
func (m *machine) trim(t *rapid.T) {
	if !m.trimming {
		t.Skip("nothing is to leave")
	}
	documents, snapshots := int64(len(m.model.records)), len(m.model.snapshots)
	r := store.Retention{Documents: rapid.Int64Range(1, documents+1).Draw(t, "documents"), Unpublished: rapid.Bool().Draw(t, "unpublished")}
	mayLeave := documents - r.Documents
	if !r.Unpublished {
		mayLeave = min(mayLeave, m.model.published)
	}
	if snapshots < 2 {
		mayLeave = 0
	} else {
		mayLeave = min(mayLeave, m.model.snapshots[snapshots-2].Seq)
	}
	for {
		n, err := m.store.Trim(m.tb.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
		m.model.dropped += n
		if m.model.dropped > mayLeave {
			t.Fatalf("documents up to %d left, and only those up to %d may", m.model.dropped, mayLeave)
		}
	}
	if waiting := min(documents, m.indexEvery-1); m.model.dropped < min(mayLeave, documents-waiting) {
		t.Fatalf("only documents up to %d left, want %d", m.model.dropped, min(mayLeave, documents-waiting))
	}
}

// drawMicro draws a micro-cluster: one that there is, one that ended, or a new one.
func (m *machine) drawMicro(t *rapid.T) starling.MicroID {
	known := len(m.model.clusters) + len(m.model.became)
	if m.trimming {
		live := slices.Sorted(maps.Keys(m.model.clusters))
		return rapid.SampledFrom(append(live, starling.MicroID(known+1))).Draw(t, "micro")
	}
	return starling.MicroID(rapid.IntRange(1, known+1).Draw(t, "micro"))
}

// drawCluster draws a cluster that has micro-clusters or one that has none.
func (m *machine) drawCluster(t *rapid.T) starling.ClusterID {
	return starling.ClusterID(rapid.IntRange(1, len(m.model.clusters)+2).Draw(t, "cluster"))
}

// drawEvent draws an event, also one that no clustering would tell of.
func (m *machine) drawEvent(t *rapid.T) starling.Event {
	e := starling.Event{To: m.drawCluster(t), Size: rapid.Int64Range(1, 9).Draw(t, "size")}
	e.Kind = rapid.SampledFrom([]starling.EventKind{starling.Merged, starling.Split, starling.Joined, "faded"}).Draw(t, "kind")
	if e.Kind == starling.Merged || e.Kind == starling.Split {
		e.From = rapid.SliceOfN(rapid.Custom(m.drawCluster), 1, 3).Draw(t, "from")
	}
	if e.Kind != starling.Merged {
		e.Micros = rapid.SliceOfN(rapid.Custom(m.drawMicro), 1, 5).Draw(t, "micros")
	}
	if e.Kind == starling.Joined {
		e.Into = m.drawMicro(t)
	}
	return e
}

func (m *machine) publish(t *rapid.T) {
	m.model.published = rapid.Int64Range(0, int64(len(m.model.records))).Draw(t, "published")
	if err := m.store.SetPublished(m.tb.Context(), m.model.published); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*store.Store{m.store, m.reader} {
		got, err := s.Published(m.tb.Context())
		if err != nil || got != m.model.published {
			t.Fatalf("published is %d, %v; want %d", got, err, m.model.published)
		}
	}
}

func (m *machine) known(t *rapid.T) {
	want := make(map[string]bool)
	ids := []string{"no such id", "", "0"}
	for _, r := range m.model.records {
		ids = append(ids, r.ID)
		want[r.ID] = true
	}
	got, err := m.either(t).Known(m.tb.Context(), ids)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "known ids", got, want)
}

func (m *machine) updates(t *rapid.T) {
	last := len(m.model.records)
	after := rapid.IntRange(0, last+1).Draw(t, "after")
	limit := rapid.IntRange(0, 300).Draw(t, "limit")
	want := []starling.Update{}
	for _, r := range m.model.records[min(max(after, int(m.model.dropped)), last):] {
		if limit == 0 || len(want) < limit {
			want = append(want, r.Update)
		}
	}
	got, err := m.either(t).Updates(m.tb.Context(), int64(after), limit)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "updates", got, want)
}

func (m *machine) journal(t *rapid.T) {
	after := rapid.IntRange(0, len(m.model.records)).Draw(t, "after")
	s := m.either(t)
	got, err := collect2(s.Journal(m.tb.Context(), int64(after)))
	if int64(after) < m.model.dropped {
		if !errors.Is(err, store.ErrLeft) {
			t.Fatalf("the journal after %d, of which documents up to %d left: %v", after, m.model.dropped, err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	same(t, "journal", got, slices.Clip(m.model.records[after:]))
	if last, err := s.Last(m.tb.Context()); err != nil || last != int64(len(m.model.records)) {
		t.Fatalf("the last document is %d, %v; want %d", last, err, len(m.model.records))
	}
}

func (m *machine) documents(t *rapid.T) {
	clusters := append(slices.Sorted(maps.Values(m.model.clusters)), 0, math.MaxInt64)
	q := store.Query{
		Cluster: rapid.SampledFrom(clusters).Draw(t, "cluster"),
		Limit:   rapid.IntRange(0, 10).Draw(t, "limit"),
	}
	want := m.model.of(q.Cluster)
	if q.Cluster != 0 && rapid.Bool().Draw(t, "after some") {
		q.After = rapid.Int64Range(0, 300).Draw(t, "after")
		want = slices.DeleteFunc(slices.Clone(want), func(u starling.Update) bool { return u.Seq <= q.After })
	}
	if q.Limit > 0 {
		want = want[:min(q.Limit, len(want))]
	}
	got, err := collect2(m.either(t).Documents(m.tb.Context(), q))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "documents", got, want)
}

func (m *machine) snapshots(t *rapid.T) {
	want := slices.Clone(m.model.snapshots[max(0, len(m.model.snapshots)-2):])
	slices.Reverse(want)
	got, err := collect2(m.either(t).Snapshots(m.tb.Context()))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "snapshots", got, want)
}

func (m *machine) deadLetters(t *rapid.T) {
	got, err := collect2(m.either(t).DeadLetters(m.tb.Context()))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "dead letters", got, m.model.letters)
}

// same fails unless two values are, where none and nil are the same.
func same(t *rapid.T, what string, got, want any) {
	if reflect.ValueOf(got).Len() == 0 && reflect.ValueOf(want).Len() == 0 {
		return
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}
