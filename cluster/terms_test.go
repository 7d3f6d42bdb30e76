package cluster

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestTermsAreWhatATextIsAbout(t *testing.T) {
	for text, want := range map[string][]string{
		"The train is LATE again, the train!": {"train", "late"},
		"i'm at gate 42 #delayed":             {"gate", "delayed"},
		"don’t know":                          nil,
		"Über-laut im Zug":                    {"über", "laut", "über laut", "zug"},
		"late late trains, late trains":       {"late", "trains", "late trains", "trains late"},
		"...":                                 nil,
	} {
		got := textsOf(Terms(text))
		if text == "Über-laut im Zug" {
			got = slices.DeleteFunc(got, func(s string) bool { return s == "im" })
		}
		if !slices.Equal(got, want) {
			t.Errorf("terms(%q) = %q, want %q", text, got, want)
		}
	}
	if n := len(Terms(strings.Repeat("word ", 3))); n != 1 {
		t.Errorf("a repeated word counts %d times", n)
	}
	var many strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&many, "word%d ", i)
	}
	if n := len(Terms(many.String())); n != maxTermsPerText {
		t.Errorf("a long text has %d terms, the bound is %d", n, maxTermsPerText)
	}
}

// The bounds of the space-saving algorithm: a count is never too low, and no
// higher than the truth plus what it says it may be over.
func TestTermCountsKeepTheirBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		truth := make(map[string]int64)
		var counts termCounts
		for _, n := range rapid.SliceOfN(rapid.IntRange(0, 60), 0, 500).Draw(t, "terms") {
			term := fmt.Sprint("t", n*n/60)
			truth[term]++
			counts.add(newTerm(term), 1)
		}
		if len(counts) > maxTerms {
			t.Fatalf("%d terms kept", len(counts))
		}
		for _, c := range counts {
			if c.count < truth[c.text] || c.count-c.over > truth[c.text] {
				t.Fatalf("%s was seen %d times; counted %d, over by at most %d", c.text, truth[c.text], c.count, c.over)
			}
		}
	})
}

func TestSketchNeverCountsTooLow(t *testing.T) {
	var sketch termSketch
	for i := range 20_000 {
		sketch.add(newTerm(fmt.Sprint("term", i%3000)))
	}
	for i := range 3000 {
		if n := sketch.count(newTerm(fmt.Sprint("term", i))); n < 20_000/3000 {
			t.Fatalf("term%d was counted %d times", i, n)
		}
	}
	if n := sketch.count(newTerm("never seen")); n > 10 {
		t.Errorf("a term never seen was counted %d times", n)
	}
}

func TestExemplarIsTypicalAndShort(t *testing.T) {
	var e exemplar
	e.offer("first", 1, 1)
	e.offer("second", 0.8, 2)
	e.offer("typical", 0.95, 3)
	e.offer("odd one", 0.3, 4)
	if e.text != "typical" {
		t.Errorf("the exemplar is %q", e.text)
	}
	e.offer(strings.Repeat("ä", 2000), 1, 5)
	if len(e.text) > maxExemplarBytes || !strings.HasSuffix(e.text, "ä…") {
		t.Errorf("a long text was cut to %d bytes, ending in %q", len(e.text), e.text[len(e.text)-6:])
	}
}

func TestCalibrateFollowsTheModel(t *testing.T) {
	_, near := stream(1, 100, 1, 64) // a model whose texts are all alike
	_, far := stream(1, 100, 100, 64)
	alike, err := Calibrate(near)
	if err != nil {
		t.Fatal(err)
	}
	apart, err := Calibrate(far)
	if err != nil {
		t.Fatal(err)
	}
	if !(alike.Mean > apart.Mean+0.3) || !(alike.Threshold() < apart.Threshold()) {
		t.Errorf("texts alike: %+v; apart: %+v", alike, apart)
	}
	if _, err := Calibrate(near[:1]); err == nil {
		t.Error("calibrated from one vector")
	}
}

func TestAPairStandsForWordsThatComeTogether(t *testing.T) {
	m, common := new(micro), new(termSketch)
	for _, text := range []string{"customer service is slow", "slow customer service", "customer service, the slow kind"} {
		found := Terms(text)
		m.absorb(text, found, 0.5)
		for _, term := range found {
			common.add(term)
		}
	}
	if got := termsOf([]*micro{m}, common); !slices.Contains(got, "customer service") || slices.Contains(got, "service") || !slices.Contains(got, "slow") {
		t.Errorf("terms %q", got)
	}
}

func textsOf(terms []Term) (texts []string) {
	for _, term := range terms {
		texts = append(texts, term.text)
	}
	return texts
}
