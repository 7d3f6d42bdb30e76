package train

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"starling/embed/static"
)

const topics, topicWords = 40, 30

// corpus writes texts about topics, each with words of its own, and returns the
// file.
func corpus(t *testing.T, name string, seed uint64) string {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, seed))
	var lines strings.Builder
	for range 12_000 {
		topic := random.IntN(topics)
		for range 8 {
			fmt.Fprintf(&lines, "%s ", word(topic, random.IntN(topicWords)))
		}
		lines.WriteString("the of and\n")
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// word returns a word that says nothing of its topic by its letters, except for
// those of topic 0, which all begin alike.
func word(topic, i int) string {
	random := rand.New(rand.NewPCG(uint64(topic), uint64(i)))
	letters := make([]byte, 7)
	for k := range letters {
		letters[k] = 'a' + byte(random.IntN(26))
	}
	if topic == 0 {
		return "quax" + string(letters)
	}
	return string(letters)
}

func small() Config {
	c := Defaults()
	c.Dim, c.Ngrams, c.LexicalDim, c.Steps, c.Batch = 64, 2048, 128, 100, 64
	return c
}

func TestWordsOfATopicAreClose(t *testing.T) {
	m, err := Train(t.Context(), []string{corpus(t, "a.txt", 1)}, small(), nil)
	if err != nil {
		t.Fatal(err)
	}
	model := static.NewWordModel(m.Card, m.Weights)
	for topic := range 5 {
		nearest, err := model.Nearest(word(topic, 0), topicWords-1)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range nearest {
			if !isOf(topic, n.Word) {
				t.Errorf("%s is near %s, of another topic", n.Word, word(topic, 0))
			}
		}
	}
}

func isOf(topic int, w string) bool {
	for i := range topicWords {
		if word(topic, i) == w {
			return true
		}
	}
	return false
}

func TestAnUnseenWordIsLikeThoseSpeltAlike(t *testing.T) {
	m, err := Train(t.Context(), []string{corpus(t, "a.txt", 1)}, small(), nil)
	if err != nil {
		t.Fatal(err)
	}
	nearest, err := static.NewWordModel(m.Card, m.Weights).Nearest("quaxnobody", 5)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range nearest {
		if !isOf(0, n.Word) {
			t.Errorf("%s is near a word spelt like those of another topic", n.Word)
		}
	}
}

func TestTheNumberOfCoresChangesNothing(t *testing.T) {
	paths := []string{corpus(t, "a.txt", 1), corpus(t, "b.txt", 2)}
	train := func(cores int) static.Weights {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
		m, err := Train(t.Context(), paths, small(), nil)
		if err != nil {
			t.Fatal(err)
		}
		return m.Weights
	}
	if !reflect.DeepEqual(train(1), train(7)) {
		t.Error("seven cores found other vectors than one")
	}
}

func TestASourceOfMoreTokensCountsAsTheBound(t *testing.T) {
	counts := []map[string]int64{{"often": 900, "both": 100}, {"both": 10}}
	for i := range 1000 {
		counts[1][fmt.Sprint("word", i)] = 5
	}
	c := small()
	c.SourceTokens = 500
	v, err := newVocabulary(counts, c)
	if err != nil {
		t.Fatal(err)
	}
	total := float64(500) + 500 // of both sources
	want := (50 + 10*500/5010.0) / total
	if got := v.shares[v.ids["both"]]; got < want*0.999 || got > want*1.001 {
		t.Errorf("the share is %v, want %v", got, want)
	}
}

func TestWhatCannotBeTrainedOn(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, test := range map[string]struct {
		path, want string
	}{
		"few words":   {write("few.txt", "one two three\n"), "too few"},
		"not gzip":    {write("text.gz", "one two three\n"), "text.gz"},
		"not zstd":    {write("text.zst", "one two three\n"), "text.zst"},
		"not a file":  {dir, filepath.Base(dir)},
		"not there":   {filepath.Join(dir, "gone.txt"), "gone.txt"},
		"binary data": {write("binary.txt", strings.Repeat("\xff\x00\n", 1000)), "too few"},
	} {
		_, err := Train(t.Context(), []string{test.path}, small(), nil)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v does not say %s", name, err, test.want)
		}
	}
}

func TestSettingsOutOfRangeAreNamed(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"dimension": func(c *Config) { c.Dim = 0 },
		"window":    func(c *Config) { c.Window = 0 },
		"words":     func(c *Config) { c.Words = 10 },
		"n-grams":   func(c *Config) { c.Ngrams = -1 },
		"smoothing": func(c *Config) { c.Smoothing = 2 },
	} {
		c := small()
		change(&c)
		if _, err := Train(t.Context(), []string{"x"}, c, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
	if _, err := Train(t.Context(), nil, small(), nil); err == nil {
		t.Error("no corpus was trained on")
	}
}

func TestTrainingStopsWhenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Train(ctx, []string{corpus(t, "a.txt", 1)}, small(), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
