// Package beam is the path of a document as Apache Beam pipelines, for streams that
// one machine cannot carry. It has the two pipelines of Beam's Python example of
// online clustering, with the same names of steps, and shares everything that
// decides with the local runtime: dataset, embed, birch and cluster.
//
//	pipeline, err := beam.Cluster(beam.ClusterSettings{From: "projects/P/subscriptions/S", Model: beam.ModelSpec{Name: "builtin"}})
//	err = beam.Run(ctx, pipeline, beam.RunSettings{Runner: beam.Prism})
//
// [Ingest] is the other pipeline.
//
// # State
//
// A stateful step keeps its state machine in the worker and in the runner only what
// brings it back: a version, a journal of what was applied since the last snapshot,
// and the snapshot, see [keeper]. So an element costs what is in it, never what the
// state holds.
//
// # Shards
//
// With one shard the state machine is that of the local runtime, and the same
// documents in the same order give the same updates. With more, each shard grows the
// micro-clusters of its documents, their features flow to one key that finds the
// clusters ([cluster.Merger]), and a document gets its cluster by shard and
// micro-cluster.
package beam
