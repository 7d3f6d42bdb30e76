// Package lineage follows what updates say became of micro-clusters, and so
// knows the cluster that every document is in now: that of the micro-cluster it
// was put into, or of the one that this has become part of.
//
//	l := lineage.New()
//	l.Follow(update) // every update of a stream, in order
//	l.ClusterOf(document.Micro)
//
// It does in memory what package store does in its file.
package lineage

import "starling"

// A Lineage knows the clusters of the micro-clusters of a stream. Its memory grows
// with the number of those that there have ever been. It is not safe for use by
// several goroutines.
type Lineage struct {
	// joined holds of each micro-cluster that ended the one that it became part
	// of, or one that this became part of in its turn.
	joined map[starling.MicroID]starling.MicroID
	// clusters holds the cluster of each that has not ended, and micros is its
	// inverse.
	clusters map[starling.MicroID]starling.ClusterID
	micros   map[starling.ClusterID]map[starling.MicroID]struct{}
}

// New returns the lineage of a stream that has not begun.
func New() *Lineage {
	return &Lineage{
		joined:   make(map[starling.MicroID]starling.MicroID),
		clusters: make(map[starling.MicroID]starling.ClusterID),
		micros:   make(map[starling.ClusterID]map[starling.MicroID]struct{}),
	}
}

// Follow takes in the next update: its events in order, then where its document
// was put. Kinds of events that it does not know move nothing.
//
// The id of a micro-cluster that joined another one is done with. Should an
// update name it again, it stays what it became, and what would join it does not.
func (l *Lineage) Follow(update starling.Update) {
	for _, event := range update.Events {
		l.FollowEvent(event)
	}
	l.Place(update.Micro, update.Cluster)
}

// FollowEvent takes in one event of an update, for those who place its document
// themselves.
func (l *Lineage) FollowEvent(event starling.Event) {
	switch event.Kind {
	case starling.Joined:
		l.Place(event.Into, event.To)
		for _, micro := range event.Micros {
			l.join(micro, event.Into)
		}
	case starling.Merged:
		for _, from := range event.From {
			for micro := range l.micros[from] {
				l.Place(micro, event.To)
			}
		}
	case starling.Split:
		for _, micro := range event.Micros {
			l.Place(micro, event.To)
		}
	}
}

// Place says that a micro-cluster is in a cluster now. It is for those that were
// there before the first update that is followed.
func (l *Lineage) Place(micro starling.MicroID, cluster starling.ClusterID) {
	now, placed := l.clusters[micro]
	if _, ended := l.joined[micro]; ended || placed && now == cluster {
		return
	}
	l.remove(micro)
	l.clusters[micro] = cluster
	if l.micros[cluster] == nil {
		l.micros[cluster] = make(map[starling.MicroID]struct{})
	}
	l.micros[cluster][micro] = struct{}{}
}

// remove takes a micro-cluster out of its cluster, if it is in one.
func (l *Lineage) remove(micro starling.MicroID) {
	cluster, placed := l.clusters[micro]
	if !placed {
		return
	}
	delete(l.clusters, micro)
	delete(l.micros[cluster], micro)
	if len(l.micros[cluster]) == 0 {
		delete(l.micros, cluster)
	}
}

func (l *Lineage) join(micro, into starling.MicroID) {
	_, ended := l.joined[micro]
	_, intoEnded := l.joined[into]
	if ended || intoEnded || micro == into {
		return
	}
	l.remove(micro)
	l.joined[micro] = into
}

// ClusterOf returns the cluster that the documents of a micro-cluster are in now,
// or 0 if nothing was heard of it.
func (l *Lineage) ClusterOf(micro starling.MicroID) starling.ClusterID {
	return l.clusters[l.MicroOf(micro)]
}

// MicroOf returns the micro-cluster that the documents of a micro-cluster are in
// now: what it became part of, or itself.
func (l *Lineage) MicroOf(micro starling.MicroID) starling.MicroID {
	for {
		into, ended := l.joined[micro]
		if !ended {
			return micro
		}
		if further, ended := l.joined[into]; ended {
			l.joined[micro] = further // so that long ways become short
		}
		micro = into
	}
}
