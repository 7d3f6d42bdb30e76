package eval_test

import (
	"fmt"
	"log"
	"time"

	"starling"
	"starling/cluster"
	"starling/eval"
)

// The names of labels and clusters mean nothing, only which documents share one.
func ExampleScore() {
	truth := []string{"weather", "weather", "weather", "parcels", "parcels", "exams"}
	found := []int{1, 1, 1, 2, 2, 2}
	scores := eval.Score(truth, found)
	fmt.Printf("%d labels, %d clusters\n", scores.Labels, scores.Clusters)
	fmt.Printf("NMI %.3f, ARI %.3f, purity %.3f\n", scores.NMI, scores.ARI, scores.Purity)
	// Output:
	// 3 labels, 2 clusters
	// NMI 0.813, ARI 0.706, purity 0.833
}

// The quality of a clustering may change as the stream goes on.
func ExampleWindows() {
	truth := []string{"weather", "weather", "parcels", "parcels", "weather", "weather", "parcels", "parcels"}
	found := []int{1, 1, 2, 2, 3, 4, 3, 4}
	for i, window := range eval.Windows(truth, found, 2) {
		fmt.Printf("window %d: %d documents, NMI %.2f\n", i+1, window.Documents, window.NMI)
	}
	// Output:
	// window 1: 4 documents, NMI 1.00
	// window 2: 4 documents, NMI 0.00
}

// A labelled stream goes through a state, and the result is scored.
func ExampleReplay() {
	state, err := cluster.New(cluster.Config{Dim: 2, Threshold: 0.7})
	if err != nil {
		log.Fatal(err)
	}
	replay := eval.NewReplay(state)
	err = replay.Add(
		[]starling.Document{{ID: "1", Text: "sunny"}, {ID: "2", Text: "lost parcel"}, {ID: "3", Text: "sunny again"}},
		[]string{"weather", "parcels", "weather"},
		[][]float32{{1, 0}, {0, 1}, {0.8, 0.6}},
	)
	if err != nil {
		log.Fatal(err)
	}
	result := replay.Result(time.Millisecond)
	fmt.Printf("%d documents in %d clusters\n", result.Documents, result.Clusters)
	fmt.Printf("purity %.0f at the end, %.0f on arrival, churn %.0f\n", result.Purity, result.Arrival.Purity, result.Churn)
	// Output:
	// 3 documents in 2 clusters
	// purity 1 at the end, 1 on arrival, churn 0
}
