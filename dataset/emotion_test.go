package dataset

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	pq "github.com/parquet-go/parquet-go"
)

// An emotionRow is a row of the collection's Parquet files.
type emotionRow struct {
	Text  string `parquet:"text,dict,snappy"`
	Label int64  `parquet:"label,snappy"`
}

var fewEmotions = []emotionRow{
	{"i feel low", 0}, {"i feel great", 1}, {"i feel loved", 2}, {"i feel mad", 3}, {"i feel shaken", 4}, {"i feel stunned", 5},
}

func emotionParquet(t *testing.T, rows []emotionRow) []byte {
	t.Helper()
	var b strings.Builder
	if err := pq.Write(&b, rows); err != nil {
		t.Fatal(err)
	}
	return []byte(b.String())
}

func TestEveryLayoutOfTheEmotionCollectionIsFound(t *testing.T) {
	const lines = "i feel low;sadness\ni feel great;joy\ni feel loved;love\ni feel mad;anger\ni feel shaken;fear\ni feel stunned;surprise\n"
	const objects = `{"text":"i feel low","label":0}
{"text":"i feel great","label":1}
{"text":"i feel loved","label":2}
{"text":"i feel mad","label":3}
{"text":"i feel shaken","label":4}
{"text":"i feel stunned","label":5}
`
	for name, content := range map[string][]byte{
		"split/validation-00000-of-00001.parquet": emotionParquet(t, fewEmotions),
		"validation.parquet":                      emotionParquet(t, fewEmotions),
		"data/validation.jsonl":                   []byte(objects),
		"data/validation.jsonl.gz":                packGzip(t, objects),
		"validation.txt":                          []byte(lines),
		"val.txt":                                 []byte(lines),
	} {
		path := write(t, name, content)
		dir := strings.TrimSuffix(path, filepath.FromSlash(name))
		items, bad, err := read(t, Options{Name: "emotion", Dir: dir, Split: "validation", Classes: []string{All}})
		if err != nil || bad != nil || len(items) != len(emotions) {
			t.Errorf("%s: got %+v, %v, %v", name, items, bad, err)
			continue
		}
		for i, item := range items {
			if want := (Item{Text: fewEmotions[i].Text, Label: emotions[i]}); item != want {
				t.Errorf("%s: got %+v, want %+v", name, item, want)
			}
		}
	}
}

func TestEmotionKeepsJoyLoveAndFearOfTrainUnlessAsked(t *testing.T) {
	dir := t.TempDir()
	for _, split := range splits {
		content := split + ";joy\n" + split + ";anger\n" + split + ";love\n" + split + ";fear\n"
		if err := os.WriteFile(filepath.Join(dir, split+".txt"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		split   string
		classes []string
		want    int
	}{
		{"", nil, 3}, {"test", nil, 3}, {All, nil, 9}, {"", []string{All}, 4}, {All, []string{All}, 12}, {All, []string{"anger"}, 3},
	} {
		items, bad, err := read(t, Options{Name: "emotion", Dir: dir, Split: c.split, Classes: c.classes})
		if err != nil || bad != nil || len(items) != c.want {
			t.Errorf("split %q, classes %v: %d items, %v, %v", c.split, c.classes, len(items), bad, err)
		}
	}
}

func TestEmotionNeedsOnlyTheClassesAskedFor(t *testing.T) {
	dir := filepath.Dir(write(t, "train.txt", []byte("a;joy\nb;anger\n")))
	items, _, err := read(t, Options{Name: "emotion", Dir: dir})
	if err != nil || !slices.Equal(texts(items), []string{"a"}) {
		t.Errorf("without classes: got %+v, %v", items, err)
	}
	_, _, err = read(t, Options{Name: "emotion", Dir: dir, Classes: []string{"joy", "love"}})
	if err == nil || !strings.Contains(err.Error(), `unknown class "love"; there are anger, joy`) {
		t.Errorf("with a class that no text has: got %v", err)
	}
}

func TestEmotionNamesWhatIsWrong(t *testing.T) {
	dir := filepath.Dir(write(t, "train.txt", []byte("a;joy\nb;hunger\nc\nd;e;fear\nf;love\n")))
	for message, o := range map[string]Options{
		`unknown class "happy"; there are sadness, joy, love, anger, fear, surprise, all`: {Dir: dir, Classes: []string{"joy", "happy"}},
		`unknown split "dev"; there are train, validation, test and all`:                  {Dir: dir, Split: "dev"},
		"has no file of the split test":                                                   {Dir: dir, Split: "test"},
		"no such file":                                                                    {Dir: filepath.Join(dir, "none")},
	} {
		o.Name = "emotion"
		if _, _, err := read(t, o); err == nil || !strings.Contains(err.Error(), message) {
			t.Errorf("got %v, want %q in it", err, message)
		}
	}
	items, bad, err := read(t, Options{Name: "emotion", Dir: dir})
	if err != nil || !slices.Equal(texts(items), []string{"a", "d;e", "f"}) || len(bad) != 2 || bad[0].Line != 2 || bad[1].Line != 3 {
		t.Errorf("got %+v, %v, %v", items, bad, err)
	}
}
