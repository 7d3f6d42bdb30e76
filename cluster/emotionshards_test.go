package cluster_test

import (
	"math/rand/v2"
	"os"
	"testing"

	"starling"
	"starling/cluster"
	"starling/dataset"
	"starling/embed/static"
	"starling/eval"
)

// emotionVectors returns vectors of texts of the emotion collection and their classes.
func emotionVectors(t *testing.T) ([][]float32, []string, cluster.Config) {
	t.Helper()
	const dir = "../../shared/data/emotion"
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the emotion collection is missing: ", dir)
	}
	c, err := dataset.Open(t.Context(), dataset.Options{Name: dataset.Emotion, Dir: dir, Split: "test", Classes: []string{dataset.All}})
	if err != nil {
		t.Fatal(err)
	}
	model, err := static.New()
	if err != nil {
		t.Fatal(err)
	}
	var texts, labels []string
	for item, err := range c.Items() {
		if err != nil {
			t.Fatal(err)
		}
		texts, labels = append(texts, item.Text), append(labels, item.Label)
	}
	vectors, err := model.Embed(t.Context(), texts)
	if err != nil {
		t.Fatal(err)
	}
	sample, err := dataset.SampleTexts(t.Context(), 256)
	if err != nil {
		t.Fatal(err)
	}
	known, err := model.Embed(t.Context(), sample)
	if err != nil {
		t.Fatal(err)
	}
	config := cluster.Config{Dim: model.Dim()}
	if config.Unrelated, err = cluster.Calibrate(known); err != nil {
		t.Fatal(err)
	}
	return vectors, labels, config
}

// On tweets about emotions, whose clusters are faint, the order in which they come
// changes more than 8 shards do: how much, and how well the classes are found, is told.
func TestEightShardsOnEmotion(t *testing.T) {
	vectors, labels, config := emotionVectors(t)
	alone := one(t, config, vectors)
	s := newSharded(t, config, 8)
	s.cluster(t, vectors, 8)
	together := s.found(t)
	order := rand.New(rand.NewPCG(1, 1)).Perm(len(vectors))
	shuffled := make([][]float32, len(vectors))
	for i, from := range order {
		shuffled[i] = vectors[from]
	}
	other := make([]starling.ClusterID, len(vectors))
	for i, id := range one(t, config, shuffled) {
		other[order[i]] = id
	}
	nmi, otherNMI, shardNMI := eval.Score(labels, alone).NMI, eval.Score(labels, other).NMI, eval.Score(labels, together).NMI
	t.Logf("adjusted Rand index of 8 shards and 1: %.3f, of 1 and 1 in another order: %.3f", eval.Score(alone, together).ARI, eval.Score(alone, other).ARI)
	t.Logf("NMI with the classes: %.3f of 8 shards, %.3f of 1, %.3f of 1 in another order", shardNMI, nmi, otherNMI)
	if shardNMI < min(nmi, otherNMI)-0.03 {
		t.Error("shards find the classes less well than one does in any order")
	}
}
