package static

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"starling/embed"
)

func open(tb testing.TB) *Model {
	tb.Helper()
	m, err := New()
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

func embedAll(tb testing.TB, texts ...string) [][]float32 {
	tb.Helper()
	rows, err := open(tb).Embed(context.Background(), texts)
	if err != nil {
		tb.Fatal(err)
	}
	return rows
}

func cosine(tb testing.TB, a, b string) float64 {
	tb.Helper()
	rows := embedAll(tb, a, b)
	sum := 0.0
	for i, x := range rows[0] {
		sum += float64(x) * float64(rows[1][i])
	}
	return sum
}

func checkUnit(tb rapid.TB, row []float32) {
	tb.Helper()
	sum := 0.0
	for _, x := range row {
		sum += float64(x) * float64(x)
	}
	if !(math.Abs(sum-1) < 1e-5) { // false for NaN too
		tb.Fatalf("squared length %v, want 1", sum)
	}
}

func TestCloseTexts(t *testing.T) {
	for _, test := range []struct {
		why, a, b string
		least     float64
	}{
		{"case and punctuation", "The train is LATE again!!!", "the train is late again", 0.999},
		{"apostrophes", "I don’t believe it", "i dont believe it", 0.999},
		{"function words", "the train is late", "that train was late, and it is", 0.8},
		{"a typo", "my favourite restaurant", "my favorite resturant", 0.25}, //nolint:misspell // a typo
		{"an inflection", "booking cheap flights", "book a cheap flight", 0.5},
		{"a hashtag and its word", "#earthquake in chile", "earthquake in chile", 0.8},
		{"a mention and its word", "@delta lost luggage", "delta lost luggage", 0.8},
		{"a link", "storm over florida https://example.org/x1", "storm over florida", 0.98},
		{"stretched letters", "sooooo tired of commuting", "so tired of commuting", 0.999},
		{"stretched letters, two meant", "a goooood sandwich", "a good sandwich", 0.999},
		{"an emoji", "pizza night 🍕", "pizza night", 0.8},
		{"ideographs", "東京の天気", "東京の天気は?", 0.85},
	} {
		if got := cosine(t, test.a, test.b); got < test.least {
			t.Errorf("%s: cosine of %q and %q is %.3f, want at least %v", test.why, test.a, test.b, got, test.least)
		}
	}
}

func TestFarTexts(t *testing.T) {
	for _, test := range []struct {
		why, a, b string
		most      float64
	}{
		{"unrelated", "earthquake hits coastal chile", "banana pancakes for breakfast", 0.12},
		{"only function words are shared", "what is the capital of france and why", "what is the price of a kilo of potatoes and why", 0.25},
		{"numbers are shared", "2015 election results", "2015 vintage wines", 0.35},
		{"a word and the n-gram in it", "art", "start", 0.4},
		{"links to one host", "http://example.org storm warning", "http://example.org pasta recipe", 0.12},
		{"emoji differ", "😂", "🍕", 0.2},
	} {
		if got := cosine(t, test.a, test.b); got > test.most {
			t.Errorf("%s: cosine of %q and %q is %.3f, want at most %v", test.why, test.a, test.b, got, test.most)
		}
	}
}

func TestUnrelatedWordsHaveCosineZeroOnAverage(t *testing.T) {
	rows := embedAll(t, strings.Fields("zebra quartz jungle lithium voucher harbour ticket monsoon "+
		"puppy algebra cinema dentist gravel yoghurt pension drummer")...)
	sum, pairs := 0.0, 0
	for i, a := range rows {
		for _, b := range rows[:i] {
			for k := range a {
				sum += float64(a[k]) * float64(b[k])
			}
			pairs++
		}
	}
	if mean := sum / float64(pairs); math.Abs(mean) > 0.02 {
		t.Errorf("mean cosine %v of %d pairs", mean, pairs)
	}
}

func TestBlankTextIsATextError(t *testing.T) {
	for _, blank := range []string{"", " ", "\t\r\n", "\u00a0\u2003"} {
		_, err := open(t).Embed(t.Context(), []string{"fine", blank})
		var textError *embed.TextError
		if !errors.As(err, &textError) || textError.Index != 1 || !errors.Is(err, ErrBlank) {
			t.Errorf("%q: error %v, want text 1 and ErrBlank", blank, err)
		}
	}
}

func TestEveryCharacterHasAVector(t *testing.T) {
	e := &encoder{words: open(t).words}
	for r := rune(0); r <= utf8.MaxRune; r++ {
		if !utf8.ValidRune(r) || unicode.IsSpace(r) {
			continue
		}
		var row vector
		e.encode(&row, string(r))
		checkUnit(t, row[:])
	}
}

func TestEveryTextHasAUnitVector(t *testing.T) {
	m := open(t)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringN(0, 9, -1), bytesAsText()).Draw(t, "text")
		rows, err := m.Embed(context.Background(), []string{text})
		if isBlank(text) {
			if !errors.Is(err, ErrBlank) {
				t.Fatalf("blank %q: error %v", text, err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		checkUnit(t, rows[0])
	})
}

func bytesAsText() *rapid.Generator[string] {
	return rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })
}

func TestAVectorDoesNotDependOnTheBatch(t *testing.T) {
	m := open(t)
	notBlank := rapid.String().Filter(func(s string) bool { return !isBlank(s) })
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfN(notBlank, 1, 8).Draw(t, "texts")
		batch, err := m.Embed(context.Background(), texts)
		if err != nil {
			t.Fatal(err)
		}
		i := rapid.IntRange(0, len(texts)-1).Draw(t, "i")
		alone, err := m.Embed(context.Background(), texts[i:i+1])
		if err != nil {
			t.Fatal(err)
		}
		if *(*vector)(alone[0]) != *(*vector)(batch[i]) {
			t.Fatalf("%q has another vector in a batch", texts[i])
		}
	})
}

func TestGoroutinesShareAModel(t *testing.T) {
	m := open(t)
	texts := []string{"the train is late", "東京 😂", "sooooo #tired @you", "?!"}
	want := embedAll(t, texts...)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				rows, err := m.Embed(context.Background(), texts)
				if err != nil {
					t.Error(err)
					return
				}
				m.Tokenize(texts[2])
				for i := range rows {
					if *(*vector)(rows[i]) != *(*vector)(want[i]) {
						t.Errorf("%q has another vector beside other goroutines", texts[i])
						return
					}
				}
			}
		})
	}
	wg.Wait()
}

func TestRowsDoNotReachIntoEachOther(t *testing.T) {
	rows := embedAll(t, "one", "two")
	want := rows[1][0]
	_ = append(rows[0], 42)
	if rows[1][0] != want {
		t.Error("appending to a row wrote into the next")
	}
}

func TestEmbedStopsWhenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := open(t).Embed(ctx, []string{"text"}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestTokenize(t *testing.T) {
	m := open(t)
	ids := m.Tokenize("The zzyzxq the #the")
	if len(ids) != 4 || ids[0] != 0 || ids[2] != 0 {
		t.Errorf("ids %v, want 0 for the most frequent word", ids)
	}
	for _, i := range []int{1, 3} {
		if ids[i] < m.words.size || ids[i] >= m.words.size+hashedIDs {
			t.Errorf("id %d is not beyond the table of %d words", ids[i], m.words.size)
		}
	}
	if ids := m.Tokenize(" "); len(ids) != 0 {
		t.Errorf("a blank text has the ids %v", ids)
	}
	if ids := m.Tokenize("?!"); len(ids) != 2 {
		t.Errorf("two characters have the ids %v", ids)
	}
}

func FuzzEmbed(f *testing.F) {
	for _, seed := range []string{"the train is late", "&nbsp;", "&#0;", "@a #b http://c.d/e", "\u0300\u200d", "🇫🇷", "soooo", "\xff"} {
		f.Add(seed)
	}
	m := open(f)
	f.Fuzz(func(t *testing.T, text string) {
		rows, err := m.Embed(context.Background(), []string{text})
		if isBlank(text) {
			if !errors.Is(err, ErrBlank) {
				t.Fatalf("blank %q: error %v", text, err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		checkUnit(t, rows[0])
	})
}
