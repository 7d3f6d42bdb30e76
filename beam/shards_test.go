package beam

import (
	"encoding/json"
	"slices"
	"sync"
	"testing"

	"starling"
	"starling/lineage"
)

// A shardRecorder takes the messages of a pipeline with several shards.
type shardRecorder struct {
	mu      sync.Mutex
	updates []ShardUpdate
	changes []Changes
}

func (r *shardRecorder) take(body []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var message struct {
		ShardUpdate
		Shard  *int64           `json:"shard"`
		Events []starling.Event `json:"events"`
	}
	if err := json.Unmarshal(body, &message); err != nil {
		return err
	}
	if message.Shard == nil {
		r.changes = append(r.changes, Changes{Merge: message.Merge, Events: message.Events})
		return nil
	}
	message.ShardUpdate.Shard = *message.Shard
	r.updates = append(r.updates, message.ShardUpdate)
	return nil
}

// follow follows the events in the order of merges, and checks that no update
// contradicts them. It returns the cluster of each document at the end.
func (r *shardRecorder) follow(t *testing.T) map[string]starling.ClusterID {
	t.Helper()
	slices.SortFunc(r.changes, func(a, b Changes) int { return int(a.Merge - b.Merge) })
	slices.SortStableFunc(r.updates, func(a, b ShardUpdate) int { return int(a.Merge - b.Merge) })
	l, events := lineage.New(), r.changes
	seen := make(map[starling.MicroID]bool)
	for _, u := range r.updates {
		for len(events) > 0 && events[0].Merge <= u.Merge {
			for _, e := range events[0].Events {
				l.FollowEvent(e)
			}
			events = events[1:]
		}
		if seen[u.Micro] && l.ClusterOf(u.Micro) != u.Cluster {
			t.Errorf("document %s is in cluster %v, the events say %v", u.ID, u.Cluster, l.ClusterOf(u.Micro))
		}
		seen[u.Micro] = true
		l.Place(u.Micro, u.Cluster)
	}
	for _, c := range events {
		for _, e := range c.Events {
			l.FollowEvent(e)
		}
	}
	found := make(map[string]starling.ClusterID)
	for _, u := range r.updates {
		found[u.ID] = l.ClusterOf(u.Micro)
	}
	return found
}

func TestDocumentsOfShardsGetTheirClusters(t *testing.T) {
	server := startPubSub(t)
	n := messagesOnPrism(t)
	publish(t, server, 0, n)
	publish(t, server, n/2, n/2+n/10) // some come twice
	settings := testSettings(t)
	settings.Shards, settings.Readers = 8, 2
	var got shardRecorder
	settings.OnMessage = got.take
	runOnPrism(t, settings)
	checkAcknowledged(t, server)
	if len(got.updates) != n {
		t.Fatalf("%d updates, want %d", len(got.updates), n)
	}
	found := got.follow(t)
	for i := range n {
		if found[testID(i)] == 0 {
			t.Errorf("document %s has no cluster", testID(i))
		}
	}
	checkShards(t, got.updates)
}

// checkShards checks that the documents of each shard are numbered without a gap.
func checkShards(t *testing.T, updates []ShardUpdate) {
	t.Helper()
	numbers := make(map[int64][]int64)
	for _, u := range updates {
		numbers[u.Shard] = append(numbers[u.Shard], u.Seq)
	}
	if len(numbers) != 8 {
		t.Errorf("%d shards", len(numbers))
	}
	for shard, all := range numbers {
		slices.Sort(all)
		if all[0] != 1 || all[len(all)-1] != int64(len(all)) || len(slices.Compact(all)) != len(all) {
			t.Errorf("shard %d has %d documents, numbered %d to %d", shard, len(all), all[0], all[len(all)-1])
		}
	}
}
