package store_test

import (
	"testing"

	"starling"
	"starling/store"
)

// The places lead from the micro-cluster that the journal names to the place that
// Members does.
func TestPlacesAgreeWithMembers(t *testing.T) {
	s := create(t, t.TempDir())
	commit(t, s, store.Batch{Records: microRecords(1000)})
	commit(t, s, one(1001, 1, 1, regrouping(1000)...))
	places, err := s.Places(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	byMicro := make(map[starling.MicroID]store.Place)
	for _, p := range places {
		byMicro[p.Micro] = p
	}
	got := mustRead(t, s)
	for i, u := range got.Updates {
		place, want := byMicro[u.Micro], got.Members[i]
		if place.Whole != want.Micro || place.Cluster != want.Cluster {
			t.Fatalf("document %d of micro-cluster %d: in %d of cluster %v, want %d of %v",
				u.Seq, u.Micro, place.Whole, place.Cluster, want.Micro, want.Cluster)
		}
	}
}
