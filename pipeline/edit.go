package pipeline

import (
	"context"
	"fmt"
	"slices"

	"starling"
	"starling/cluster"
	"starling/store"
)

// Edit makes an edit to what [Recover] made of a state file, which no pipeline
// works on meanwhile, and returns what that did once it is durable. Where the
// edit is refused, nothing has changed; where it cannot be written, state is ahead
// of the file and no longer of use.
func Edit(ctx context.Context, st *store.Store, state *cluster.State, e starling.Edit) ([]starling.Event, error) {
	events, err := state.Edit(e)
	if err != nil {
		return nil, err
	}
	edit := store.EditRecord{Number: state.Edits(), Seq: state.Documents(), Edit: e, Events: events}
	if err := st.Commit(ctx, store.Batch{Edits: []store.EditRecord{edit}}); err != nil {
		return nil, err
	}
	return events, nil
}

// Delete deletes documents by their ids, from the state and from the file, as
// [Edit] makes edits. It returns what the deletion of each did, and nothing for
// those that were deleted before. An id that the state has never held is an error,
// before anything is deleted. It takes the time of reading all documents and of
// writing the file anew.
func Delete(ctx context.Context, st *store.Store, state *cluster.State, ids []string) ([][]starling.Event, error) {
	d := deleter{state: state, ids: ids}
	if err := d.find(ctx, st); err != nil {
		return nil, err
	}
	if err := d.findOthers(ctx, st); err != nil {
		return nil, err
	}
	events := make([][]starling.Event, len(ids))
	var batch store.Batch
	for i, id := range ids {
		document, ok := d.found[id]
		if !ok {
			continue
		}
		record, err := d.delete(ctx, st, document)
		if err != nil {
			return nil, err
		}
		events[i] = record.Events
		batch.Edits = append(batch.Edits, record)
	}
	if len(batch.Edits) > 0 {
		snapshot, err := snapshotOf(state)
		if err != nil {
			return nil, err
		}
		batch.Snapshot = snapshot
		if err := st.Commit(ctx, batch); err != nil {
			return nil, err
		}
	}
	return events, st.Scrub(ctx)
}

// A deleter deletes documents.
type deleter struct {
	state *cluster.State
	ids   []string
	// found holds those that are not deleted yet.
	found map[string]starling.Update
	// others holds for their micro-clusters the document that stands for the rest
	// best.
	others map[starling.MicroID]starling.Update
}

// find finds the documents.
func (d *deleter) find(ctx context.Context, st *store.Store) error {
	known, err := st.Known(ctx, d.ids)
	if err != nil {
		return err
	}
	for i, id := range d.ids {
		if !known[id] {
			return fmt.Errorf("deleting documents: there never was a document %q", id)
		}
		if slices.Contains(d.ids[:i], id) {
			return fmt.Errorf("deleting documents: document %q is named twice", id)
		}
	}
	d.found = make(map[string]starling.Update, len(d.ids))
	for update, err := range st.Members(ctx) {
		if err != nil {
			return err
		}
		if known[update.ID] {
			d.found[update.ID] = update
		}
	}
	return nil
}

// findOthers finds documents that stay in the micro-clusters of those found.
func (d *deleter) findOthers(ctx context.Context, st *store.Store) error {
	micros := make(map[starling.MicroID]bool)
	for _, u := range d.found {
		micros[u.Micro] = true
	}
	d.others = make(map[starling.MicroID]starling.Update)
	for update, err := range st.Members(ctx) {
		if err != nil {
			return err
		}
		if _, goes := d.found[update.ID]; goes || !micros[update.Micro] {
			continue
		}
		if best, ok := d.others[update.Micro]; !ok || update.Similarity >= best.Similarity {
			d.others[update.Micro] = update
		}
	}
	return nil
}

// delete takes a document out of the state.
func (d *deleter) delete(ctx context.Context, st *store.Store, document starling.Update) (store.EditRecord, error) {
	vector, err := embeddingOf(ctx, st, document.Seq)
	if err != nil {
		return store.EditRecord{}, err
	}
	delete(d.found, document.ID)
	events, err := d.state.Delete(cluster.Deletion{Update: document, Vector: vector, Instead: d.instead(document.Micro)})
	return store.EditRecord{
		Number: d.state.Edits(), Seq: d.state.Documents(),
		Edit:   starling.Edit{Kind: starling.EditDelete, Cluster: document.Cluster, Document: document.Seq},
		Events: events,
	}, err
}

// instead returns the text of another document of a micro-cluster: one that stays
// or, where none does, one that goes later.
func (d *deleter) instead(micro starling.MicroID) string {
	if other, ok := d.others[micro]; ok {
		return other.Text
	}
	for _, id := range d.ids {
		if later, ok := d.found[id]; ok && later.Micro == micro {
			return later.Text
		}
	}
	return ""
}

// embeddingOf returns the embedding of a document of the journal.
func embeddingOf(ctx context.Context, st *store.Store, seq int64) ([]float32, error) {
	for record, err := range st.Journal(ctx, seq-1) {
		return record.Embedding, err
	}
	return nil, fmt.Errorf("there is no document %d", seq)
}
