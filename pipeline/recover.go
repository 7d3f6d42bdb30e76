package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"starling"
	"starling/cluster"
	"starling/store"
)

// Recover brings back the clustering state of a state file, bit for bit as it
// was after the last committed document or edit: it decodes the newest snapshot
// that is whole and applies what came after it. It only reads, so it serves readers
// beside a running writer too. Documents that leave meanwhile are in a newer
// snapshot, so it begins again then.
func Recover(ctx context.Context, st *store.Store) (*cluster.State, error) {
	for tries := 1; ; tries++ {
		state, err := recoverOnce(ctx, st)
		switch {
		case !errors.Is(err, store.ErrLeft):
			return state, err
		case tries == recoverTries:
			return nil, fmt.Errorf("no snapshot can be used: %w; restore the state folder from a backup", err)
		}
	}
}

// recoverTries bounds how often documents may leave meanwhile. That takes two
// snapshots each time, so more than that are not there.
const recoverTries = 3

func recoverOnce(ctx context.Context, st *store.Store) (*cluster.State, error) {
	state, err := newestSnapshot(ctx, st)
	if err != nil {
		return nil, err
	}
	if err := replayAll(ctx, st, state); err != nil {
		return nil, fmt.Errorf("replaying the journal: %w", err)
	}
	return state, nil
}

// replayAll applies the documents and edits that a state does not have yet. An edit
// is made after the last document there is: so of those that come meanwhile, none
// belongs before a document that was there.
func replayAll(ctx context.Context, st *store.Store, state *cluster.State) error {
	last, err := st.Last(ctx)
	if err != nil {
		return err
	}
	edits, err := st.Edits(ctx, state.Edits())
	if err != nil {
		return err
	}
	for _, edit := range edits {
		if edit.Seq > last {
			break
		}
		if err := replayDocuments(ctx, st, state, edit.Seq); err != nil {
			return err
		}
		if err := replayEdit(state, edit); err != nil {
			return err
		}
	}
	return replayDocuments(ctx, st, state, last)
}

// replayDocuments applies the documents up to one.
func replayDocuments(ctx context.Context, st *store.Store, state *cluster.State, last int64) error {
	if state.Documents() >= last {
		return nil
	}
	page := make([]store.Record, 0, replayedAtOnce)
	for record, err := range st.Journal(ctx, state.Documents()) {
		if err != nil {
			return err
		}
		if record.Seq > last {
			break
		}
		if page = append(page, record); len(page) == cap(page) {
			if err := replay(state, page); err != nil {
				return err
			}
			page = page[:0]
		}
	}
	return replay(state, page)
}

// replayEdit makes an edit of the journal and checks that it does what it did.
func replayEdit(state *cluster.State, edit store.EditRecord) error {
	if edit.Kind == starling.EditDelete {
		return errDeleted(edit.Document)
	}
	events, err := state.Edit(edit.Edit)
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(events, edit.Events) || state.Edits() != edit.Number || state.Documents() != edit.Seq {
		return fmt.Errorf("edit %d (%s of cluster %v) did something else: "+
			"the state file was written by another build or on another kind of processor", edit.Number, edit.Kind, edit.Cluster)
	}
	return nil
}

// errDeleted says that there is no snapshot after the deletion of a document.
func errDeleted(seq int64) error {
	return fmt.Errorf("document %d was deleted and the snapshots taken since cannot be used; "+
		"restore the state folder from a backup, or open it with the version that wrote it", seq)
}

// replayedAtOnce is the number of documents that are applied together.
const replayedAtOnce = 256

// replay applies documents of the journal and checks that they go where they went.
func replay(state *cluster.State, records []store.Record) error {
	vectors := make([][]float32, len(records))
	for i := range records {
		vectors[i] = records[i].Embedding
	}
	state.Expect(vectors)
	for _, record := range records {
		if record.Micro == 0 {
			return errDeleted(record.Seq)
		}
		update, err := state.Apply(record.Document, record.Embedding)
		if err != nil {
			return err
		}
		if update.Seq != record.Seq || update.Cluster != record.Cluster || update.Micro != record.Micro {
			return fmt.Errorf("document %d (%q) was put into cluster %v and is now put into %v: "+
				"the state file was written by another build or on another kind of processor",
				record.Seq, record.ID, record.Cluster, update.Cluster)
		}
	}
	return nil
}

// newestSnapshot returns the state of the newest snapshot that can be decoded,
// or a new one where there is none.
func newestSnapshot(ctx context.Context, st *store.Store) (*cluster.State, error) {
	for snapshot, err := range st.Snapshots(ctx) {
		if err != nil {
			continue // damaged: an older one and a longer replay give the same state
		}
		state, err := cluster.Decode(snapshot.Data)
		if errors.Is(err, cluster.ErrNewer) {
			return nil, err
		}
		if err == nil && state.Documents() == snapshot.Seq {
			return state, nil
		}
	}
	var config cluster.Config
	if err := json.Unmarshal([]byte(st.Identity().Settings), &config); err != nil {
		return nil, fmt.Errorf("reading the clustering settings of the state file: %w", err)
	}
	return cluster.New(config)
}
