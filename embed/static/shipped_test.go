package static

import (
	"slices"
	"testing"
	"time"

	"starling/vec"
)

func openShipped(tb testing.TB) *WordModel {
	tb.Helper()
	m, err := NewWords()
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

func TestTheShippedVectorsAreThoseOfTheirCard(t *testing.T) {
	card := openShipped(t).Card() // opening compares the SHA-256 of the weights
	if card.Name != WordsName || card.Dim() != 512 {
		t.Errorf("the card is of %s with %d dimensions", card.Name, card.Dim())
	}
	if size := len(shippedWeights) + len(shippedCard); size > 12_000_000 {
		t.Errorf("the model has %d bytes", size)
	}
	if info := DescribeWords(); info != openShipped(t).Info() {
		t.Errorf("described as %+v, opened as %+v", info, openShipped(t).Info())
	}
}

func TestNearWordsReadSensibly(t *testing.T) {
	m := openShipped(t)
	for word, want := range map[string][]string{
		"terrified":  {"frightened", "horrified", "scared"},
		"nostalgic":  {"nostalgia"},
		"refund":     {"refunds", "payment"},
		"recursion":  {"recursive"},
		"goalkeeper": {"goalie", "soccer", "league"},
	} {
		nearest, err := m.Nearest(word, 10)
		if err != nil {
			t.Fatal(err)
		}
		words := make([]string, len(nearest))
		for i, n := range nearest {
			words[i] = n.Word
		}
		for _, w := range want {
			if !slices.Contains(words, w) {
				t.Errorf("%s is not among the words near %s: %q", w, word, words)
			}
		}
		if !slices.Equal(words, m.Card().Nearest[word]) {
			t.Errorf("near %s are %q, but the card says %q", word, words, m.Card().Nearest[word])
		}
	}
}

func TestMeaningJoinsTextsThatShareNoWord(t *testing.T) {
	m := openShipped(t)
	for _, test := range []struct{ text, like, unlike string }{
		{"i was terrified", "so scared right now", "so hungry right now"},
		{"the goalkeeper saved it", "great football match", "great pasta recipe"},
		{"my parcel has not arrived", "where is the package", "what is the capital"},
		{"transfer money to my account", "send cash via the bank", "play songs via the speaker"},
	} {
		like, unlike := product(t, m, test.text, test.like), product(t, m, test.text, test.unlike)
		if like < unlike+0.05 {
			t.Errorf("%q: cosine %.3f with %q, %.3f with %q", test.text, like, test.like, unlike, test.unlike)
		}
	}
}

func TestAMisspeltWordIsNearestToItsOwn(t *testing.T) {
	m := openShipped(t)
	own := map[string]string{
		"resturant": "restaurant", "availible": "available", "tommorrow": "tomorrow", "infromation": "information", //nolint:misspell // on purpose
		"guitarrist": "guitarist", "universitty": "university", "appointmment": "appointment", "chocolatey": "chocolate",
	}
	for misspelt, want := range own {
		if _, known := m.table.weight(hash(wordSeed, []byte(misspelt))); known {
			t.Errorf("%s has a vector of its own", misspelt)
		}
		least := wordCosine(t, m, misspelt, want)
		for _, other := range own {
			if cosine := wordCosine(t, m, misspelt, other); other != want && cosine >= least {
				t.Errorf("%s has cosine %.3f with %s, %.3f with %s", misspelt, least, want, cosine, other)
			}
		}
	}
}

func wordCosine(t *testing.T, m *WordModel, a, b string) float32 {
	t.Helper()
	x, err := m.WordVector(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := m.WordVector(b)
	if err != nil {
		t.Fatal(err)
	}
	return vec.Dot(x, y)
}

func TestTheShippedVectorsAreReadyAtOnce(t *testing.T) {
	start := time.Now()
	card, err := parseCard(shippedCard)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parseWeights("shipped", shippedWeights, card); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > time.Second { // a tenth of it on a quiet machine
		t.Errorf("took %v", took)
	}
}

func BenchmarkEmbedWords(b *testing.B) {
	texts := tweets(b)
	m := openShipped(b)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for i := 0; i+32 <= len(texts); i += 32 {
			if _, err := m.Embed(b.Context(), texts[i:i+32]); err != nil {
				b.Fatal(err)
			}
			n += 32
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "texts/s")
}

func BenchmarkLoadWords(b *testing.B) {
	for b.Loop() {
		card, err := parseCard(shippedCard)
		if err != nil {
			b.Fatal(err)
		}
		weights, err := parseWeights("shipped", shippedWeights, card)
		if err != nil {
			b.Fatal(err)
		}
		NewWordModel(card, weights)
	}
}
