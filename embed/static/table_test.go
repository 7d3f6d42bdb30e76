package static

import (
	"bytes"
	"compress/gzip"
	"strings"
	"testing"
)

func pack(t *testing.T, text string) *bytes.Buffer {
	t.Helper()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &packed
}

func TestWordsWeighWhatTheirFrequencySays(t *testing.T) {
	words, err := readTable(pack(t, "# from somewhere\n10000\nthe\t600\nrare\t1\n"))
	if err != nil {
		t.Fatal(err)
	}
	for word, want := range map[string]float32{
		"the":     3e-4 / (3e-4 + 0.06),
		"rare":    3e-4 / (3e-4 + 0.0001),
		"unknown": 1,
	} {
		if got, _ := words.weight(hash(wordSeed, []byte(word))); got != want {
			t.Errorf("%q weighs %v, want %v", word, got, want)
		}
	}
}

func TestTheShippedTableKnowsEnglish(t *testing.T) {
	words := open(t).words
	if words.size < 20_000 || words.size > 60_000 {
		t.Errorf("%d words", words.size)
	}
	for _, word := range strings.Fields("the of and dont im ive whats you feel") {
		if w, known := words.weight(hash(wordSeed, []byte(word))); !known || w > 0.75 {
			t.Errorf("%q weighs %v, known %v", word, w, known)
		}
	}
	for _, word := range strings.Fields("earthquake luggage dentist") {
		if w, known := words.weight(hash(wordSeed, []byte(word))); !known || w < 0.9 {
			t.Errorf("%q weighs %v, known %v", word, w, known)
		}
	}
}

func TestDamagedTables(t *testing.T) {
	whole := packedWords[:len(packedWords)/2]
	for name, packed := range map[string]*bytes.Buffer{
		"not packed":  bytes.NewBufferString("the\t1\n"),
		"cut short":   bytes.NewBuffer(whole),
		"empty":       pack(t, ""),
		"no total":    pack(t, "# comment\nthe\t1\n"),
		"zero total":  pack(t, "0\nthe\t1\n"),
		"no count":    pack(t, "10\nthe\n"),
		"no word":     pack(t, "10\n\t5\n"),
		"count below": pack(t, "10\nthe\t-5\n"),
	} {
		if _, err := readTable(packed); err == nil || !strings.Contains(err.Error(), "table of words") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
