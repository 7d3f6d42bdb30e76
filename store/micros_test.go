package store_test

import (
	"fmt"
	"testing"

	"starling"
	"starling/store"
)

// one returns a batch of one document, of a micro-cluster with its cluster, and events.
func one(seq int64, micro starling.MicroID, cluster starling.ClusterID, events ...starling.Event) store.Batch {
	u := starling.Update{
		Seq:        seq,
		Document:   starling.Document{ID: fmt.Sprint(seq), Text: fmt.Sprint("text ", seq)},
		Assignment: starling.Assignment{Micro: micro, Cluster: cluster},
		Events:     events,
	}
	return store.Batch{Records: []store.Record{{Update: u, Embedding: make([]float32, testIdentity.Dim)}}}
}

// A document stays with the micro-cluster it was put into wherever that goes, and
// with whatever that becomes part of; the journal says for ever what was.
func TestDocumentsGoWhereTheirMicroClusterGoes(t *testing.T) {
	s := create(t, t.TempDir())
	s.SetIndexEvery(4)
	for seq := range int64(4) {
		commit(t, s, one(seq+1, starling.MicroID(seq+1), starling.ClusterID(seq+11)))
	}
	for i, step := range []struct {
		events []starling.Event
		want   string // the micro-clusters and clusters of the first four documents
	}{
		{[]starling.Event{{Kind: starling.Joined, Micros: []starling.MicroID{1}, Into: 2, To: 12}}, "[2:12 2:12 3:13 4:14]"},
		{[]starling.Event{{Kind: starling.Joined, Micros: []starling.MicroID{2}, Into: 3, To: 13}}, "[3:13 3:13 3:13 4:14]"},
		{[]starling.Event{
			{Kind: starling.Merged, From: []starling.ClusterID{14}, To: 13},
			{Kind: starling.Split, From: []starling.ClusterID{13}, Micros: []starling.MicroID{3}, To: 15},
		}, "[3:15 3:15 3:15 4:13]"},
		{[]starling.Event{{Kind: "expired", From: []starling.ClusterID{15}, Micros: []starling.MicroID{3}}}, "[3:15 3:15 3:15 4:13]"},
		// Ids that are done with move nothing, and nothing joins them.
		{[]starling.Event{{Kind: starling.Split, Micros: []starling.MicroID{1, 2}, To: 16}}, "[3:15 3:15 3:15 4:13]"},
		{[]starling.Event{{Kind: starling.Joined, Micros: []starling.MicroID{3, 4}, Into: 1, To: 16}}, "[3:15 3:15 3:15 4:13]"},
	} {
		commit(t, s, one(int64(i+5), 9, 9, step.events...))
		got := mustRead(t, s)
		var now []string
		for _, u := range got.Members[:4] {
			now = append(now, fmt.Sprintf("%d:%v", u.Micro, u.Cluster))
		}
		if fmt.Sprint(now) != step.want {
			t.Fatalf("after %+v the documents are in %v, want %s", step.events, now, step.want)
		}
		wantSame(t, "first update in the journal", got.Updates[0].Assignment, starling.Assignment{Micro: 1, Cluster: 11})
	}
}

// All of a regrouping is followed, however many it moves.
func TestRegroupingOfThousands(t *testing.T) {
	s := create(t, t.TempDir())
	want := newNaive()
	records := microRecords(10_000)
	commit(t, s, store.Batch{Records: records})
	b := one(int64(len(records))+1, 1, 1, regrouping(10_000)...)
	commit(t, s, b)
	for _, r := range append(records, b.Records...) {
		want.follow(r.Update)
	}
	got, err := collect2(s.Members(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "members", got, want.members())
}

// microRecords returns documents of as many micro-clusters, a hundred to
// a cluster.
func microRecords(n int) []store.Record {
	records := make([]store.Record, n)
	for i := range records {
		records[i] = one(int64(i+1), starling.MicroID(i+1), starling.ClusterID(1+i%(n/100))).Records[0]
	}
	return records
}

// regrouping is of n micro-clusters of n/100 clusters: the first half joins the other
// half, a tenth of the clusters ends, and half of what is left is split off.
func regrouping(n int) (events []starling.Event) {
	for i := range n / 2 {
		events = append(events, starling.Event{
			Kind: starling.Joined, Micros: []starling.MicroID{starling.MicroID(i + 1)},
			Into: starling.MicroID(i + 1 + n/2), To: starling.ClusterID(1 + (i+n/2)%(n/100)),
		})
	}
	for c := range n / 1000 {
		events = append(events, starling.Event{Kind: starling.Merged, From: []starling.ClusterID{starling.ClusterID(c + 1)}, To: starling.ClusterID(c + 2)})
	}
	split := starling.Event{Kind: starling.Split, From: []starling.ClusterID{1}, To: starling.ClusterID(n)}
	for i := range n / 4 {
		split.Micros = append(split.Micros, starling.MicroID(n-i))
	}
	return append(events, split)
}
