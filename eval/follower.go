package eval

import (
	"starling"
	"starling/lineage"
)

// A follower knows the cluster of every document by events alone. Unlike a
// [lineage.Lineage] by itself, it believes an assignment only of a micro-cluster
// that is new.
type follower struct {
	*lineage.Lineage
	// live are the clusters that began and have not ended.
	live map[starling.ClusterID]bool
	// strays counts the documents that were put into a cluster other than that
	// of their micro-cluster, or one that was not live.
	strays int
}

func newFollower() *follower {
	return &follower{Lineage: lineage.New(), live: make(map[starling.ClusterID]bool)}
}

// follow takes in the update of the next document.
func (f *follower) follow(update starling.Update) {
	for _, e := range update.Events {
		f.FollowEvent(e)
		f.live[e.To] = true
		if e.Kind == starling.Merged {
			for _, ended := range e.From {
				delete(f.live, ended)
			}
		}
	}
	if f.ClusterOf(update.Micro) == 0 {
		f.Place(update.Micro, update.Cluster)
	}
	if f.ClusterOf(update.Micro) != update.Cluster || !f.live[update.Cluster] {
		f.strays++
	}
}
