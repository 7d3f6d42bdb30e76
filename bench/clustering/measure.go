package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"starling"
	"starling/bench/internal/peer"
	"starling/bench/internal/rounds"
	"starling/birch"
	"starling/cluster"
	"starling/store"
)

const (
	threshold = 0.7
	branching = 50
)

type answer struct {
	Seconds     float64
	Subclusters int
}

// measureInserts has everyone put all vectors into a new tree.
func measureInserts(vectors [][]float32, sklearn *peer.Peer, table *rounds.Table) error {
	for _, way := range []struct {
		name      string
		scanLimit int
		expect    int
	}{{"Starling, by tree", 0, 0}, {"Starling, exact scan", 5000, 0}, {"Starling, exact scan, 32 told ahead", 5000, 32}} {
		tree, err := birch.New(birch.Config{Dim: dim, Threshold: threshold, Branching: branching, ScanLimit: way.scanLimit})
		if err != nil {
			return err
		}
		started := time.Now()
		for i, v := range vectors {
			if way.expect > 0 && i%way.expect == 0 {
				tree.Expect(vectors[i:min(i+way.expect, len(vectors))])
			}
			if _, err := tree.Insert(v); err != nil {
				return err
			}
		}
		table.Add(fmt.Sprintf("%s: %d leaf entries", way.name, tree.Len()), "", float64(len(vectors))/time.Since(started).Seconds())
	}
	if sklearn == nil {
		return nil
	}
	var a answer
	if err := sklearn.Ask(map[string]any{"insert": len(vectors), "threshold": threshold, "branching": branching}, &a); err != nil {
		return err
	}
	table.Add(fmt.Sprintf("scikit-learn partial_fit: %d leaf entries", a.Subclusters), "", float64(len(vectors))/a.Seconds)
	return nil
}

// measureSteps has everyone take in messages after many came: ours in memory, as
// theirs is, and in transactions of 32 on the disk.
func measureSteps(ctx context.Context, dir string, vectors [][]float32, sklearn *peer.Peer, table *rounds.Table) error {
	if err := measureMemory(vectors, table); err != nil {
		return err
	}
	state, err := cluster.New(cluster.Config{Dim: dim, Threshold: threshold})
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp(dir, "state-")
	if err != nil {
		return err
	}
	st, err := store.Create(ctx, filepath.Join(folder, "state"), store.Identity{Model: "synthetic", Fingerprint: "synthetic", Dim: dim, Settings: "{}"})
	if err != nil {
		return err
	}
	if err := commitAll(ctx, state, st, vectors[:texts], 0); err != nil {
		return err
	}
	started := time.Now()
	if err := commitAll(ctx, state, st, vectors[texts:], texts); err != nil {
		return err
	}
	table.Add("Starling, on the disk", "", float64(len(vectors)-texts)/time.Since(started).Seconds())
	if err := st.Close(); err != nil || sklearn == nil {
		return err
	}
	var a answer
	if err := sklearn.Ask(map[string]any{"step": texts, "messages": 3, "threshold": threshold}, &a); err != nil {
		return err
	}
	table.Add("the stateful step of the Python example", "", 1/a.Seconds)
	return nil
}

// measureMemory takes messages in without a disk.
func measureMemory(vectors [][]float32, table *rounds.Table) error {
	state, err := cluster.New(cluster.Config{Dim: dim, Threshold: threshold})
	if err != nil {
		return err
	}
	if _, err := applyAll(state, vectors[:texts], 0); err != nil {
		return err
	}
	started := time.Now()
	if _, err := applyAll(state, vectors[texts:], texts); err != nil {
		return err
	}
	table.Add("Starling, in memory", "", float64(len(vectors)-texts)/time.Since(started).Seconds())
	return nil
}

// size is how many vectors are told ahead, and in one transaction.
const size = 32

// applyAll clusters vectors, the first of which has a number.
func applyAll(state *cluster.State, vectors [][]float32, first int) ([]store.Record, error) {
	records := make([]store.Record, 0, len(vectors))
	for at := 0; at < len(vectors); at += size {
		batch := vectors[at:min(at+size, len(vectors))]
		state.Expect(batch)
		for i, v := range batch {
			n := first + at + i
			update, err := state.Apply(starling.Document{ID: fmt.Sprint(n), Text: fmt.Sprintf("a text of some sixty characters, as messages have, %d", n)}, v)
			if err != nil {
				return nil, err
			}
			records = append(records, store.Record{Update: update, Embedding: v})
		}
	}
	return records, nil
}

// commitAll clusters vectors and commits them.
func commitAll(ctx context.Context, state *cluster.State, st *store.Store, vectors [][]float32, first int) error {
	for at := 0; at < len(vectors); at += size {
		records, err := applyAll(state, vectors[at:min(at+size, len(vectors))], first+at)
		if err != nil {
			return err
		}
		if err := st.Commit(ctx, store.Batch{Records: records}); err != nil {
			return err
		}
	}
	return nil
}
