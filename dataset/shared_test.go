package dataset

import (
	"os"
	"path/filepath"
	"testing"
)

// shared returns the path of a collection that is not part of the repository.
func shared(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join("..", "..", "shared", "data", filepath.FromSlash(name))
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the folder ../shared/data is missing: %v", err)
	}
	return path
}

func TestEmotionOnRealData(t *testing.T) {
	dir := shared(t, "emotion")
	for _, c := range []struct {
		split   string
		classes []string
		want    int
	}{
		{"train", []string{All}, 16000}, {"validation", []string{All}, 2000}, {"test", []string{All}, 2000},
		{All, []string{All}, 20000}, {"", nil, 5362 + 1304 + 1937},
	} {
		items, bad, err := read(t, Options{Name: "emotion", Dir: dir, Split: c.split, Classes: c.classes})
		if err != nil || bad != nil || len(items) != c.want {
			t.Errorf("%q %v: %d items, want %d, %v, %v", c.split, c.classes, len(items), c.want, bad, err)
		}
	}
}

func TestOtherRealCollections(t *testing.T) {
	for _, c := range []struct {
		name          string
		items, labels int
		first         Item
	}{
		{"mstream/News", 11109, 152, Item{ID: "000001", Label: "65", Text: "centrepoint winter white gala london"}},
		{"mstream/Tweets", 30322, 269, Item{ID: "000001", Label: "82", Text: "house kill arizona style immigration bill rep rick rand house pas ari"}},
		{"banking77/train.csv", 10003, 77, Item{Label: "card_arrival", Text: "I am still waiting on my card?"}},
		{"banking77/test.csv", 3080, 77, Item{Label: "card_arrival", Text: "How do I locate my card?"}},
	} {
		items, bad, err := read(t, Options{Name: shared(t, c.name)})
		labels := map[string]bool{}
		for _, item := range items {
			labels[item.Label] = true
		}
		if err != nil || bad != nil || len(items) != c.items || len(labels) != c.labels {
			t.Errorf("%s: %d items, %d labels, %v, %v", c.name, len(items), len(labels), bad, err)
			continue
		}
		if items[0] != c.first {
			t.Errorf("%s: got %+v, want %+v", c.name, items[0], c.first)
		}
	}
}
