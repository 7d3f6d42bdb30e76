package eval

import (
	"testing"

	"starling"
)

func created(id starling.ClusterID) starling.Event {
	return starling.Event{Kind: starling.Created, To: id}
}

func merged(to starling.ClusterID, from ...starling.ClusterID) starling.Event {
	return starling.Event{Kind: starling.Merged, From: from, To: to}
}

func split(from, to starling.ClusterID, micros ...starling.MicroID) starling.Event {
	return starling.Event{Kind: starling.Split, From: []starling.ClusterID{from}, To: to, Micros: micros}
}

// put is the update of a document, after some events.
func put(micro starling.MicroID, cluster starling.ClusterID, events ...starling.Event) starling.Update {
	return starling.Update{Assignment: starling.Assignment{Micro: micro, Cluster: cluster}, Events: events}
}

func TestADocumentInAClusterThatEventsDoNotKnowIsAStray(t *testing.T) {
	for _, c := range []struct {
		name    string
		updates []starling.Update
		want    int
	}{
		{"all is well", []starling.Update{put(1, 1, created(1)), put(1, 1), put(2, 1), put(1, 2, split(1, 2, 1)), put(3, 1, merged(1, 2)), put(1, 1)}, 0},
		{"it never began", []starling.Update{put(1, 1, created(1)), put(2, 7)}, 1},
		{"it ended", []starling.Update{put(1, 1, created(1)), put(2, 2, created(2), merged(2, 1)), put(3, 1)}, 1},
		{"its micro-cluster is in another", []starling.Update{put(1, 1, created(1)), put(2, 2, created(2)), put(1, 2)}, 1},
		{"its micro-cluster has left", []starling.Update{put(1, 1, created(1)), put(1, 1, split(1, 2, 1))}, 1},
	} {
		f := newFollower()
		for _, update := range c.updates {
			f.follow(update)
		}
		if f.strays != c.want {
			t.Errorf("%s: %d strays, want %d", c.name, f.strays, c.want)
		}
	}
}

// An assignment that nothing explains does not move those that came before.
func TestAnAssignmentMovesNothing(t *testing.T) {
	f := newFollower()
	for _, update := range []starling.Update{put(1, 1, created(1)), put(2, 2, created(2)), put(1, 2)} {
		f.follow(update)
	}
	if id := f.ClusterOf(1); id != 1 {
		t.Errorf("the first document is in cluster %v by events, want 1", id)
	}
}
