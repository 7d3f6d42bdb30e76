package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"starling/cluster"
	"starling/store"
)

// Recover brings back the clustering state of a state file, bit for bit as it
// was after the last committed document: it decodes the newest snapshot that is
// whole and applies the documents after it. It only reads, so it serves readers
// beside a running writer too.
func Recover(ctx context.Context, st *store.Store) (*cluster.State, error) {
	state, err := newestSnapshot(ctx, st)
	if err != nil {
		return nil, err
	}
	page := make([]store.Record, 0, replayedAtOnce)
	for record, err := range st.Journal(ctx, state.Documents()) {
		if err != nil {
			return nil, fmt.Errorf("replaying the journal: %w", err)
		}
		if page = append(page, record); len(page) == cap(page) {
			if err := replay(state, page); err != nil {
				return nil, fmt.Errorf("replaying the journal: %w", err)
			}
			page = page[:0]
		}
	}
	if err := replay(state, page); err != nil {
		return nil, fmt.Errorf("replaying the journal: %w", err)
	}
	return state, nil
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
