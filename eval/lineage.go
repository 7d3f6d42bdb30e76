package eval

import "starling"

// A lineage knows the cluster of every document by following events alone: it is
// that of the document's micro-cluster. What a state itself says must agree.
type lineage struct {
	// clusters holds the cluster that each micro-cluster was put into last.
	clusters map[starling.MicroID]starling.ClusterID
	// joined says what micro-clusters became part of, merged the same of clusters.
	joined map[starling.MicroID]starling.MicroID
	merged map[starling.ClusterID]starling.ClusterID
	// live are the clusters that began and have not ended.
	live map[starling.ClusterID]bool
	// strays counts the documents that were put into a cluster other than that
	// of their micro-cluster, or one that was not live.
	strays int
}

func newLineage() *lineage {
	return &lineage{
		clusters: make(map[starling.MicroID]starling.ClusterID),
		joined:   make(map[starling.MicroID]starling.MicroID),
		merged:   make(map[starling.ClusterID]starling.ClusterID),
		live:     make(map[starling.ClusterID]bool),
	}
}

// follow takes in the update of the next document.
func (l *lineage) follow(update starling.Update) {
	for _, e := range update.Events {
		l.happened(e)
	}
	known, ok := l.clusterOf(update.Micro)
	if ok && known != update.Cluster || !l.live[update.Cluster] {
		l.strays++
	}
	if !ok {
		l.clusters[update.Micro] = update.Cluster
	}
}

func (l *lineage) happened(e starling.Event) {
	l.live[e.To] = true
	switch e.Kind {
	case starling.Merged:
		for _, ended := range e.From {
			l.merged[ended] = e.To
			delete(l.live, ended)
		}
	case starling.Split:
		for _, micro := range e.Micros {
			l.clusters[micro] = e.To
		}
	case starling.Joined:
		for _, micro := range e.Micros {
			l.joined[micro] = e.Into
		}
	}
}

// microOf returns what a micro-cluster is part of now, itself if it goes on.
func (l *lineage) microOf(micro starling.MicroID) starling.MicroID { return last(l.joined, micro) }

// clusterOf returns the cluster of a micro-cluster, which may have joined another
// one, and false for one that was never heard of.
func (l *lineage) clusterOf(micro starling.MicroID) (starling.ClusterID, bool) {
	cluster, ok := l.clusters[l.microOf(micro)]
	return last(l.merged, cluster), ok
}

// last follows what became of an id, and shortens the way for the next time.
func last[ID comparable](became map[ID]ID, id ID) ID {
	end := id
	for next, ok := became[end]; ok; next, ok = became[end] {
		end = next
	}
	for id != end {
		id, became[id] = became[id], end
	}
	return end
}
