// Package cluster is the state machine at the heart of Starling: documents and
// their vectors go in, updates come out.
//
// A [State] puts each document into a micro-cluster, a leaf entry of a CF-tree,
// and each micro-cluster into a cluster with a permanent id, and keeps for every
// cluster its size, its top terms and a representative text:
//
//	state, err := cluster.New(cluster.Config{Dim: 512, Threshold: 0.9})
//	update, err := state.Apply(document, vector)
//
// What people know better they say by [State.Edit] and [State.Delete].
//
// It has no clock, goroutines or I/O, and its memory is bounded by its
// configuration. The same documents and edits in the same order give the same bytes
// of [State.AppendBinary], so that a snapshot and what came after it are as good as
// the whole stream.
package cluster
