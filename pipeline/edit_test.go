package pipeline_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"starling"
	"starling/cluster"
	"starling/pipeline"
	"starling/store"
)

// edit opens a state that no run has open, recovers it, and lets do change it. What
// do leaves must be what the next recovery gives.
func edit(t *testing.T, dir string, do func(*store.Store, *cluster.State)) {
	t.Helper()
	st := openState(t, dir)
	state, err := pipeline.Recover(t.Context(), st)
	if err != nil {
		t.Fatal(err)
	}
	do(st, state)
	again, err := pipeline.Recover(t.Context(), st)
	if err != nil {
		t.Fatal(err)
	}
	wantSameState(t, again, state)
	if err := st.Close(); err != nil {
		t.Error(err)
	}
}

func wantSameState(t *testing.T, got, want *cluster.State) {
	t.Helper()
	a, errA := got.AppendBinary(nil)
	b, errB := want.AppendBinary(nil)
	if errA != nil || errB != nil || !bytes.Equal(a, b) {
		t.Errorf("the states differ, %v, %v", errA, errB)
	}
}

func mustEdit(t *testing.T, st *store.Store, state *cluster.State, e starling.Edit) []starling.Event {
	t.Helper()
	events, err := pipeline.Edit(t.Context(), st, state, e)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// spoilSnapshots makes the snapshots of a closed state useless.
func spoilSnapshots(t *testing.T, dir string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "starling.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("UPDATE snapshots SET data = x''"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// Edits hold in the runs after them, and the journal gives the state back with no
// snapshot at all.
func TestEditsArePartOfTheJournal(t *testing.T) {
	url, dir := startBroker(t).URL("texts"), stateDir(t)
	messages := sampleMessages(t, 900)
	var merged, kept starling.ClusterID
	for round := range 3 {
		publish(t, url, messages[300*round:300*(round+1)]...)
		drain(t, url, dir, func(s *pipeline.Settings) { s.SnapshotEvery = 100 })
		edit(t, dir, func(st *store.Store, state *cluster.State) {
			largest := state.Clusters(3)
			kept, merged = largest[0].ID, largest[1].ID
			mustEdit(t, st, state, starling.Edit{Kind: starling.EditRename, Cluster: kept, Name: fmt.Sprint("round ", round)})
			mustEdit(t, st, state, starling.Edit{Kind: starling.EditMerge, Cluster: kept, From: []starling.ClusterID{merged}})
			mustEdit(t, st, state, starling.Edit{Kind: starling.EditSplit, Cluster: largest[0].ID})
			mustEdit(t, st, state, starling.Edit{Kind: starling.EditPin, Cluster: largest[2].ID})
			if _, err := pipeline.Edit(t.Context(), st, state, starling.Edit{Kind: starling.EditPin, Cluster: merged}); err == nil {
				t.Error("a cluster that has ended was pinned")
			}
		})
	}
	want := dumpState(t, dir)
	spoilSnapshots(t, dir)
	if got := dumpState(t, dir); got.text(t) != want.text(t) {
		t.Error("the journal alone gives another state")
	}
	edit(t, dir, func(st *store.Store, state *cluster.State) {
		if c, ok := state.Cluster(kept); !ok || c.Name != "round 2" || !c.Pinned || state.Edits() != 12 {
			t.Errorf("after %d edits the cluster is %+v", state.Edits(), c)
		}
		checkPlaces(t, st, state)
	})
}

// checkPlaces checks that the file has each document where the state has it.
func checkPlaces(t *testing.T, st *store.Store, state *cluster.State) {
	t.Helper()
	sizes := make(map[starling.ClusterID]int64)
	for update, err := range st.Members(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if c, _ := state.ClusterOf(update.Micro); c != update.Cluster {
			t.Fatalf("document %d is in cluster %v, the state says %v", update.Seq, update.Cluster, c)
		}
		sizes[update.Cluster]++
	}
	for _, c := range state.Clusters(0) {
		if c.Size != sizes[c.ID] {
			t.Fatalf("cluster %v has %d documents, the state says %d", c.ID, sizes[c.ID], c.Size)
		}
	}
}

// Deleted documents are gone, from the state and from the files, and do not come
// back when their messages do.
func TestDeletedDocumentsAreGone(t *testing.T) {
	url, dir := startBroker(t).URL("texts"), stateDir(t)
	messages := sampleMessages(t, 300)
	messages[7].Body = []byte("Zaphod's telephone number is 7432")
	messages[8].Body = []byte("the telephone number of Zaphod is 7432 too")
	publish(t, url, messages...)
	drain(t, url, dir, nil)
	edit(t, dir, func(st *store.Store, state *cluster.State) {
		ids := []string{"m7", "m8"}
		for i := range 150 { // whole micro-clusters and clusters among them
			ids = append(ids, fmt.Sprintf("m%d", 100+i))
		}
		events, err := pipeline.Delete(t.Context(), st, state, ids)
		if err != nil {
			t.Fatal(err)
		}
		for i, e := range events {
			if len(e) == 0 || e[0].Kind != starling.Deleted {
				t.Fatalf("the deletion of %s caused %+v", ids[i], e)
			}
		}
		checkPlaces(t, st, state)
		again, err := pipeline.Delete(t.Context(), st, state, []string{"m99", "m7"})
		if err != nil || len(again[0]) == 0 || again[1] != nil || state.Deleted() != 153 {
			t.Errorf("deleting once more gave %+v, %v; %d documents are deleted", again, err, state.Deleted())
		}
		for says, ids := range map[string][]string{`never was a document "m300"`: {"m1", "m300"}, `"m1" is named twice`: {"m1", "m1"}} {
			if _, err := pipeline.Delete(t.Context(), st, state, ids); err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("got the error %v, want one that says %q", err, says)
			}
		}
	})
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		data, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(bytes.ToLower(data), []byte("zaphod")) {
			t.Errorf("the text is still in %s", entry.Name())
		}
	}
	publish(t, url, append(messages[7:9], sampleMessages(t, 400)[300:]...)...)
	if got := drain(t, url, dir, nil); got.Documents != 100 || got.Duplicates != 2 {
		t.Errorf("the next run counted %+v", got)
	}
	spoilSnapshots(t, dir)
	st := openState(t, dir)
	if _, err := pipeline.Recover(t.Context(), st); err == nil || !strings.Contains(err.Error(), "document 8 was deleted") {
		t.Errorf("without a snapshot recovery says %v", err)
	}
	if err := st.Close(); err != nil {
		t.Error(err)
	}
}
