package store_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"starling"
	"starling/store"
)

// deletion is a batch that deletes a document of a journal that ends at last.
func deletion(number, last, seq int64) store.Batch {
	return store.Batch{
		Edits: []store.EditRecord{{
			Number: number, Seq: last,
			Edit:   starling.Edit{Kind: starling.EditDelete, Cluster: 1, Document: seq},
			Events: []starling.Event{{Kind: starling.Deleted, To: 1, Size: 1, Document: seq}},
		}},
		Snapshot: &store.Snapshot{Seq: last, Data: []byte("what is left")},
	}
}

// Edits come back as they were made, and documents are where edits moved them.
func TestEdits(t *testing.T) {
	dir := t.TempDir()
	s := create(t, dir)
	want := newNaive()
	var records []store.Record
	for seq := range int64(6) {
		u := starling.Update{Seq: seq + 1, Document: starling.Document{ID: string(rune('a' + seq)), Text: "text"}}
		u.Assignment = starling.Assignment{Micro: starling.MicroID(seq + 1), Cluster: starling.ClusterID(seq/2 + 1)}
		want.follow(u)
		records = append(records, store.Record{Update: u, Embedding: make([]float32, testIdentity.Dim)})
	}
	edits := []store.EditRecord{
		{Number: 1, Seq: 6, Edit: starling.Edit{Kind: starling.EditMerge, Cluster: 1, From: []starling.ClusterID{2, 3}},
			Events: []starling.Event{{Kind: starling.Merged, From: []starling.ClusterID{2, 3}, To: 1, Size: 6}, {Kind: starling.Pinned, To: 1, Size: 6}}},
		{Number: 2, Seq: 6, Edit: starling.Edit{Kind: starling.EditPin, Cluster: 1}},
		{Number: 3, Seq: 6, Edit: starling.Edit{Kind: starling.EditSplit, Cluster: 1, Micros: []starling.MicroID{4, 6}},
			Events: []starling.Event{{Kind: starling.Split, From: []starling.ClusterID{1}, To: 4, Size: 2, Micros: []starling.MicroID{4, 6}}}},
		{Number: 4, Seq: 6, Edit: starling.Edit{Kind: starling.EditRename, Cluster: 4, Name: "größer <b>"},
			Events: []starling.Event{{Kind: starling.Renamed, To: 4, Size: 2, Name: "größer <b>"}}},
	}
	commit(t, s, store.Batch{Records: records, Edits: edits[:2]})
	commit(t, s, store.Batch{Edits: edits[2:]})
	for _, e := range edits {
		want.followEvents(e.Events)
	}
	closeStore(t, s)
	for _, s := range []*store.Store{open(t, dir), openReader(t, dir)} {
		got := mustRead(t, s)
		wantSame(t, "edits", got.Edits, edits)
		wantSame(t, "members", got.Members, want.members())
		later, err := s.Edits(t.Context(), 3)
		if err != nil {
			t.Fatal(err)
		}
		wantSame(t, "edits after the third", later, edits[3:])
	}
}

// What is left of a deleted document is its number, its id, its time and its
// events; it is in no cluster, and its id is still known.
func TestDeletedDocuments(t *testing.T) {
	for _, indexEvery := range []int64{1, 7, 1000} {
		dir := t.TempDir()
		s := create(t, dir)
		s.SetIndexEvery(indexEvery)
		stream := newStream(4)
		commit(t, s, store.Batch{Records: stream.records(30), Snapshot: &store.Snapshot{Seq: 30, Data: []byte("before")}})
		for number, seq := range []int64{30, 1, 12} {
			batch := deletion(int64(number)+1, stream.seq, seq)
			commit(t, s, batch)
			stream.erase(seq)
			wantSame(t, "snapshots", mustRead(t, s).Snapshots, []store.Snapshot{*batch.Snapshot, *batch.Snapshot})
		}
		want := stream.records(20)
		commit(t, s, store.Batch{Records: want})
		closeStore(t, s)
		for _, s := range []*store.Store{open(t, dir), openReader(t, dir)} {
			got := mustRead(t, s, "id-1", "id-12", "id-30")
			wantSame(t, "updates", got.Updates, stream.documents)
			wantSame(t, "members", got.Members, stream.members())
			wantSame(t, "records after", got.Records[30:], want)
			wantSame(t, "a deleted record", got.Records[11], store.Record{Update: stream.documents[11], Embedding: []float32{}})
			if len(got.Known) != 50 {
				t.Errorf("%d of 50 ids are known", len(got.Known))
			}
			n := 0
			for _, documents := range got.Clusters {
				n += len(documents)
			}
			if n != 47 {
				t.Errorf("%d documents in clusters, want 47", n)
			}
		}
	}
}

// After a scrub no file of the state has what was deleted, wherever SQLite had put
// it. Before, they may have.
func TestScrub(t *testing.T) {
	dir := t.TempDir()
	s := create(t, dir)
	stream := newStream(4)
	records := stream.records(500)
	secrets := []string{"the secret text", "a secret attribute", "a secret in a snapshot"}
	records[99].Text = strings.Repeat(secrets[0], 3000) // over several pages
	records[99].Attributes = map[string]string{"who": secrets[1]}
	for i := range 4 {
		data := bytes.Repeat([]byte(secrets[2]), 2000*(i+1))
		commit(t, s, store.Batch{Records: records[i*125 : (i+1)*125], Snapshot: &store.Snapshot{Seq: int64(i+1) * 125, Data: data}})
	}
	closeStore(t, s)
	s = open(t, dir)
	if len(findAll(t, dir, secrets)) != len(secrets) {
		t.Fatal("there is nothing to be scrubbed")
	}
	commit(t, s, deletion(1, 500, 100))
	if err := s.Scrub(t.Context()); err != nil {
		t.Fatal(err)
	}
	if found := findAll(t, dir, secrets); len(found) > 0 {
		t.Errorf("the files still have %q", found)
	}
	stream.erase(100)
	wantSame(t, "members", mustRead(t, s).Members, stream.members())
	wantError(t, openReader(t, dir).Scrub(t.Context()), store.ErrReadOnly)
}

// findAll returns which of some texts are in the files of a folder.
func findAll(t *testing.T, dir string, texts []string) (found []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for _, entry := range entries {
		data, err := os.ReadFile(dir + "/" + entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data...)
	}
	for _, text := range texts {
		if bytes.Contains(all, []byte(text)) {
			found = append(found, text)
		}
	}
	return found
}

func TestBadEditsAreNotCommitted(t *testing.T) {
	s := create(t, t.TempDir())
	stream := newStream(4)
	commit(t, s, store.Batch{Records: stream.records(5)})
	commit(t, s, deletion(1, 5, 2))
	before := mustRead(t, s)
	more := deletion(2, 6, 3)
	more.Records, more.Snapshot.Seq = newStream(4).records(6)[5:], 6
	bare := deletion(2, 5, 3)
	bare.Snapshot = nil
	for says, b := range map[string]store.Batch{
		"edit 3 after document 5, want 2 after 5": deletion(3, 5, 3),
		"edit 2 after document 4, want 2 after 5": deletion(2, 4, 3),
		"document 6 of 1 to 5 is to be deleted":   deletion(2, 5, 6),
		"document 0 of 1 to 5 is to be deleted":   deletion(2, 5, 0),
		"document 2 was deleted before":           deletion(2, 5, 2),
		"without a snapshot of what is left":      bare,
		"deleted while others are added":          more,
		`document "id-6" is of no micro-cluster`:  {Records: []store.Record{{Update: starling.Update{Seq: 6, Document: starling.Document{ID: "id-6"}}, Embedding: make([]float32, testIdentity.Dim)}}},
	} {
		if err := s.Commit(t.Context(), b); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got the error %v, want one that says %q", err, says)
		}
		wantSame(t, "the state", mustRead(t, s), before)
	}
}
