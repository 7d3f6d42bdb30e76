package main

import (
	"context"
	"errors"
	"fmt"

	"starling"
	"starling/cluster"
	"starling/console"
	"starling/pipeline"
	"starling/store"
)

type stateCheckCmd struct{}

// Help says what is checked.
func (stateCheckCmd) Help() string {
	return "Checked are SQLite's pages, the checksum of every row, that no row is missing, that the tables agree, that the " +
		"snapshots can be read, that the documents after them go where they went, and that the clusters are those of the " +
		"table. Each fault is named, and the exit status is 1 if there is one. A run may go on meanwhile; its log grows " +
		"until the check is over."
}

// Run checks a state.
func (c *stateCheckCmd) Run(ctx context.Context, std streams, state *stateCmd) error {
	st, err := openToRead(ctx, state.State)
	if err != nil {
		return err
	}
	return errors.Join(c.check(ctx, std, st), st.Close())
}

func (c *stateCheckCmd) check(ctx context.Context, std streams, st *store.Store) error {
	shown := newSteps(std.err)
	faults, err := st.Check(ctx, shown.report)
	shown.done()
	if err != nil {
		return err
	}
	more, err := checkClustering(ctx, st, shown)
	if err != nil {
		return err
	}
	faults = append(faults, more...)
	for _, fault := range faults {
		fmt.Fprintln(std.out, console.Safe(fault.Error()))
	}
	if len(faults) > 0 {
		return fmt.Errorf("the state has %d faults; restore its folder from a backup, or begin another one", len(faults))
	}
	fmt.Fprintln(std.out, "no fault was found")
	return nil
}

// checkClustering checks what the store does not know: that snapshots can be
// read, that what came after the newest goes where it went, and that documents are
// in clusters that the clustering has.
func checkClustering(ctx context.Context, st *store.Store, shown *steps) (faults []error, err error) {
	n := int64(0)
	for snapshot, err := range st.Snapshots(ctx) {
		n++
		if err != nil {
			continue // the store has named it
		}
		state, err := cluster.Decode(snapshot.Data)
		switch {
		case err != nil:
			faults = append(faults, fmt.Errorf("the snapshot after document %d: %w", snapshot.Seq, err))
		case state.Documents() != snapshot.Seq:
			faults = append(faults, fmt.Errorf("the snapshot after document %d is one after %d", snapshot.Seq, state.Documents()))
		}
	}
	shown.report(store.Step{Name: "clustering", Done: n, Total: n})
	shown.done()
	state, err := pipeline.Recover(ctx, st)
	if err != nil {
		return append(faults, err), ctx.Err()
	}
	more, err := checkPlaces(ctx, st, state, shown)
	return append(faults, more...), err
}

// maxPlaceFaults is how many documents in other clusters are named.
const maxPlaceFaults = 20

// checkPlaces compares the clusters of documents with those of the clustering. Of a
// state that is being written it says nothing: the two are of other moments.
func checkPlaces(ctx context.Context, st *store.Store, state *cluster.State, shown *steps) (faults []error, err error) {
	first, err := st.First(ctx)
	if err != nil {
		return nil, err
	}
	step := store.Step{Name: "assignments", Total: state.Documents() - first + 1}
	for update, err := range st.Members(ctx) {
		if errors.Is(err, store.ErrDamaged) {
			break // the store has named it
		}
		if err != nil {
			return nil, err
		}
		if step.Done = update.Seq - first + 1; step.Done%1000 == 0 {
			shown.report(step)
		}
		if fault := placeFault(state, update); fault != nil && len(faults) < maxPlaceFaults {
			faults = append(faults, fault)
		}
	}
	last, err := st.Last(ctx)
	edits, failed := st.Edits(ctx, state.Edits())
	if err := errors.Join(err, failed); err != nil || last != state.Documents() || len(edits) > 0 {
		return nil, err
	}
	step.Done = step.Total
	shown.report(step)
	shown.done()
	return faults, nil
}

// placeFault says what is wrong with the cluster of a document. A micro-cluster
// that the clustering does not know any more has expired.
func placeFault(state *cluster.State, update starling.Update) error {
	if now, known := state.ClusterOf(update.Micro); known && now != update.Cluster {
		return fmt.Errorf("document %d is in cluster %v, and the clustering has it in %v", update.Seq, update.Cluster, now)
	}
	return nil
}
