package cluster_test

import (
	"fmt"

	"starling"
	"starling/cluster"
)

func Example() {
	state, err := cluster.New(cluster.Config{Dim: 2, Threshold: 0.7})
	if err != nil {
		panic(err)
	}
	for _, document := range []struct {
		id, text string
		vector   []float32
	}{
		{"a", "train delayed again", []float32{1, 0}},
		{"b", "tomatoes are ripe", []float32{0, 1}},
		{"c", "the train never came", []float32{0.8, 0.6}},
	} {
		update, err := state.Apply(starling.Document{ID: document.id, Text: document.text}, document.vector)
		if err != nil {
			panic(err)
		}
		fmt.Printf("%s: cluster %v\n", update.ID, update.Cluster)
	}
	for _, c := range state.Clusters(0) {
		fmt.Println(c.ID, c.Size, c.Terms[0])
	}
	// Output:
	// a: cluster 1
	// b: cluster 2
	// c: cluster 1
	// 1 2 train
	// 2 1 ripe
}

func ExampleState_Edit() {
	state, err := cluster.New(cluster.Config{Dim: 2, Threshold: 0.7})
	if err != nil {
		panic(err)
	}
	for id, vector := range [][]float32{{1, 0}, {0, 1}} {
		if _, err := state.Apply(starling.Document{ID: fmt.Sprint(id), Text: "text"}, vector); err != nil {
			panic(err)
		}
	}
	events, err := state.Edit(starling.Edit{Kind: starling.EditMerge, Cluster: 1, From: []starling.ClusterID{2}})
	if err != nil {
		panic(err)
	}
	for _, e := range events {
		fmt.Println(e.Kind, e.From, e.To, e.Size)
	}
	// Output:
	// merged [2] 1 2
	// pinned [] 1 2
}
