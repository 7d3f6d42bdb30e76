package store_test

import (
	"cmp"
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
	records   []store.Record
	owners    map[starling.MicroID]starling.ClusterID
	snapshots []store.Snapshot
	letters   []store.DeadLetter
	published int64
}

func (m *model) apply(b store.Batch) {
	for _, r := range b.Records {
		for _, e := range r.Events {
			for micro, owner := range m.owners {
				if e.Kind == starling.Merged && slices.Contains(e.From, owner) {
					m.owners[micro] = e.To
				}
			}
		}
		m.owners[r.Micro] = r.Cluster
		m.records = append(m.records, r)
	}
	for _, d := range b.DeadLetters {
		again := func(o store.DeadLetter) bool { return d.MessageID != "" && o.MessageID == d.MessageID }
		if !slices.ContainsFunc(m.letters, again) {
			m.letters = append(m.letters, d)
		}
	}
	if b.Snapshot != nil {
		m.snapshots = append(m.snapshots, *b.Snapshot)
	}
}

// documents returns those of a cluster, 0 for all, where they are now.
func (m *model) documents(cluster starling.ClusterID) []starling.Update {
	var all []starling.Update
	for _, r := range m.records {
		u := r.Update
		if u.Cluster = m.owners[u.Micro]; cluster == 0 || u.Cluster == cluster {
			all = append(all, u)
		}
	}
	return all
}

// A machine does the same to a state and to its model, and compares what they
// say. Which actions run in which order, and with what, is for rapid to draw.
type machine struct {
	model      model
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
			model:      model{owners: make(map[starling.MicroID]starling.ClusterID)},
			dir:        dir,
			indexEvery: rapid.SampledFrom([]int64{1, 3, 20, 400}).Draw(rt, "index every"),
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
			"publish":      m.publish,
			"reopen":       m.reopen,
			"known":        m.known,
			"updates":      m.updates,
			"journal":      m.journal,
			"documents":    m.documents,
			"snapshots":    m.snapshots,
			"dead letters": m.deadLetters,
		})
		m.close(rt)
	})
}

func (m *machine) close(t *rapid.T) {
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
	owners := maps.Clone(m.model.owners)
	for i := range n {
		b.Records = append(b.Records, m.drawRecord(t, owners, int64(len(m.model.records)+i+1)))
	}
	for range rapid.IntRange(0, 2).Draw(t, "letters") {
		b.DeadLetters = append(b.DeadLetters, store.DeadLetter{
			MessageID: rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(t, "message"),
			Reason:    rapid.String().Draw(t, "reason"),
			Body:      []byte(rapid.StringN(1, -1, -1).Draw(t, "body")),
		})
	}
	if rapid.Bool().Draw(t, "snapshot") {
		b.Snapshot = &store.Snapshot{Seq: int64(len(m.model.records) + n), Data: []byte(rapid.StringN(1, -1, -1).Draw(t, "data"))}
	}
	if err := m.store.Commit(m.tb.Context(), b); err != nil {
		t.Fatal(err)
	}
	m.model.apply(b)
}

// drawRecord draws a record of a micro-cluster that exists or a new one,
// perhaps after a merge. It keeps owners as the model does.
func (m *machine) drawRecord(t *rapid.T, owners map[starling.MicroID]starling.ClusterID, seq int64) store.Record {
	u := starling.Update{Seq: seq, Document: starling.Document{ID: fmt.Sprint(seq), Text: fmt.Sprint("text ", seq)}}
	if seq%5 == 0 {
		u.ID += rapid.String().Draw(t, "id")
		u.Text = rapid.String().Draw(t, "text")
		u.Time = time.Unix(0, rapid.Int64().Draw(t, "time")).UTC()
		if attributes := rapid.MapOfN(rapid.String(), rapid.String(), 0, 3).Draw(t, "attributes"); len(attributes) > 0 {
			u.Attributes = attributes
		}
	}
	if len(owners) > 2 && rapid.IntRange(0, 9).Draw(t, "merge") == 0 {
		clusters := slices.Compact(slices.Sorted(maps.Values(owners)))
		from := rapid.SliceOfNDistinct(rapid.SampledFrom(clusters), 1, 2, rapid.ID).Draw(t, "from")
		to := rapid.SampledFrom(clusters).Draw(t, "to")
		u.Events = []starling.Event{{Kind: starling.Merged, From: from, To: to, Size: 2}}
		for micro, owner := range owners {
			if slices.Contains(from, owner) {
				owners[micro] = to
			}
		}
	}
	u.Micro = starling.MicroID(1 + rapid.IntRange(0, len(owners)).Draw(t, "micro"))
	if owners[u.Micro] == 0 {
		owners[u.Micro] = starling.ClusterID(seq)
	}
	u.Cluster = owners[u.Micro]
	u.Similarity = rapid.Float32Range(0, 1).Draw(t, "similarity")
	vector := make([]float32, testIdentity.Dim)
	for i := range vector {
		vector[i] = u.Similarity * float32(i)
	}
	return store.Record{Update: u, Embedding: vector}
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
	for _, r := range m.model.records[min(after, last):] {
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
	if err != nil {
		t.Fatal(err)
	}
	same(t, "journal", got, slices.Clip(m.model.records[after:]))
	if last, err := s.Last(m.tb.Context()); err != nil || last != int64(len(m.model.records)) {
		t.Fatalf("the last document is %d, %v; want %d", last, err, len(m.model.records))
	}
}

func (m *machine) documents(t *rapid.T) {
	clusters := append(slices.Sorted(maps.Values(m.model.owners)), 0, math.MaxInt64)
	q := store.Query{
		Cluster: rapid.SampledFrom(clusters).Draw(t, "cluster"),
		Limit:   rapid.IntRange(0, 10).Draw(t, "limit"),
	}
	want := m.model.documents(q.Cluster)
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
	got, err := m.either(t).DeadLetters(m.tb.Context(), 0)
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
