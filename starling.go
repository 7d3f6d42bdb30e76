// Package starling holds the words of the project: what arrives, where it was
// put, and what that changed. It has no logic; every other package speaks in
// these types.
//
// A [Document] is one message of the stream. Clustering it yields an
// [Update]: the document's [Assignment] and the [Event]s it caused.
package starling

import (
	"strconv"
	"time"
)

// A Document is one message of the stream.
type Document struct {
	// ID names the document. A state counts each id once.
	ID string `json:"id"`
	// Text is valid UTF-8, not empty and at most [MaxTextBytes] long.
	Text string `json:"text"`
	// Time is when the document was published, in UTC, as the broker says.
	Time time.Time `json:"time,omitzero"`
	// Attributes are the message's other attributes, without the id.
	Attributes map[string]string `json:"attributes,omitempty"`
}

// MaxTextBytes is the longest text of a document; a longer one is a dead letter.
const MaxTextBytes = 64 << 10

// A ClusterID names a cluster for ever: ids are given out from 1 upwards and
// never used again.
type ClusterID uint64

// String returns the id in decimal, as every command prints and takes it.
func (id ClusterID) String() string { return strconv.FormatUint(uint64(id), 10) }

// A MicroID names a micro-cluster, one leaf entry of the CF-tree, for ever.
type MicroID uint64

// An Assignment says where a document was put.
type Assignment struct {
	Cluster ClusterID `json:"cluster"`
	Micro   MicroID   `json:"micro"`
	// Similarity is the cosine of the document's embedding and the centroid of
	// its micro-cluster, the document included: 1 for the first of its kind.
	Similarity float32 `json:"similarity"`
}

// An EventKind is what happened to clusters.
type EventKind string

const (
	// Created says that the cluster To began.
	Created EventKind = "created"
	// Grew says that the cluster To reached a Size of 5, 10, 20, 50, 100 and so on.
	Grew EventKind = "grew"
	// Merged says that the clusters From became part of To and their ids ended.
	Merged EventKind = "merged"
	// Split says that Micros left the cluster From, which goes on, for To,
	// which begins with them or was there before.
	Split EventKind = "split"
	// Joined says that Micros, of whatever clusters, became part of the
	// micro-cluster Into of the cluster To, and their ids ended.
	Joined EventKind = "joined"
	// Faded says that nothing came to the cluster To for so long that all of it
	// weighs less than one new document.
	Faded EventKind = "faded"
	// Reactivated says that a document came to the cluster To, which had faded.
	Reactivated EventKind = "reactivated"
	// Expired says that the cluster To faded until nothing was left to compare
	// with. It ended; its documents stay in it.
	Expired EventKind = "expired"
	// Renamed says that the cluster To has the Name, or, where that is empty,
	// none any more.
	Renamed EventKind = "renamed"
	// Pinned says that the cluster To is not split, and not joined with another
	// pinned one, but by an [Edit].
	Pinned EventKind = "pinned"
	// Unpinned says that the cluster To is one like others again.
	Unpinned EventKind = "unpinned"
	// Deleted says that the Document of the cluster To was deleted. With the Size
	// 0 the cluster ended with it, or had expired before.
	Deleted EventKind = "deleted"
)

// An Event is something that happened to clusters. Whoever follows all events
// knows the cluster of every document: it is that of its micro-cluster.
type Event struct {
	Kind EventKind `json:"kind"`
	// From holds the clusters that ended in a merge, or the one that was split.
	From []ClusterID `json:"from,omitempty"`
	// To is the cluster that began, grew or took in others.
	To ClusterID `json:"to"`
	// Size is the number of documents in To after the event.
	Size int64 `json:"size"`
	// Micros are the micro-clusters that moved in a split, or joined another one.
	Micros []MicroID `json:"micros,omitempty"`
	// Into is the micro-cluster that Micros joined.
	Into MicroID `json:"into,omitempty"`
	// Name is what a cluster was renamed to.
	Name string `json:"name,omitempty"`
	// Document is the Seq of the document that was deleted.
	Document int64 `json:"document,omitempty"`
}

// An EditKind is what a person does to clusters.
type EditKind string

const (
	// EditMerge makes the clusters From part of Cluster, which is pinned then.
	EditMerge EditKind = "merge"
	// EditSplit makes a new cluster of the Micros of Cluster or, where none are
	// given, of the smaller of its two halves. Both parts are pinned then.
	EditSplit EditKind = "split"
	// EditRename gives Cluster the Name; an empty one takes its name away.
	EditRename EditKind = "rename"
	// EditPin keeps Cluster from being split, and from being joined with another
	// pinned one. Others may become part of it.
	EditPin EditKind = "pin"
	// EditUnpin ends that.
	EditUnpin EditKind = "unpin"
	// EditDelete takes the Document out of Cluster.
	EditDelete EditKind = "delete"
)

// An Edit is a change that a person makes to the clusters.
type Edit struct {
	Kind    EditKind    `json:"kind"`
	Cluster ClusterID   `json:"cluster"`
	From    []ClusterID `json:"from,omitempty"`
	Micros  []MicroID   `json:"micros,omitempty"`
	// Name is valid UTF-8 without control characters and at most [MaxNameBytes]
	// long.
	Name string `json:"name,omitempty"`
	// Document is the Seq of a document.
	Document int64 `json:"document,omitempty"`
}

// MaxNameBytes is the longest name of a cluster.
const MaxNameBytes = 256

// An Update is what one document caused. That of a document which was deleted
// since has neither text nor attributes, and is of the cluster and the
// micro-cluster 0.
type Update struct {
	// Seq numbers the documents of a state from 1 in the order they were
	// clustered, without gaps.
	Seq int64 `json:"update"`
	Document
	Assignment
	// Events come in the order in which they happened, all of them before the
	// document took its place: first those of edits since the document before,
	// then those that the document caused.
	Events []Event `json:"events,omitempty"`
}
