package eval_test

import (
	"fmt"

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
