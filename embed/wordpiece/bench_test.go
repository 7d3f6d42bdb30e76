package wordpiece_test

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tweets returns the texts of the test split of the emotion collection.
func tweets(tb testing.TB) []string {
	tb.Helper()
	f, err := os.Open(needShared(tb, "data/emotion/test.txt"))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	var texts []string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		text, _, _ := strings.Cut(lines.Text(), ";")
		texts = append(texts, text)
	}
	return texts
}

func BenchmarkEncode(b *testing.B) {
	tokenizer := load(b, needShared(b, "tokenizer"))
	texts := tweets(b)
	b.ReportAllocs()
	var ids []int32
	encoded := 0
	for b.Loop() {
		for _, text := range texts {
			ids = tokenizer.Encode(ids[:0], text, 128)
		}
		encoded += len(texts)
	}
	b.ReportMetric(float64(encoded)/b.Elapsed().Seconds(), "texts/s")
}

// BenchmarkEncodeHard is about texts that are not as tweets are.
func BenchmarkEncodeHard(b *testing.B) {
	tokenizer := load(b, needShared(b, "tokenizer"))
	for name, text := range map[string]string{
		"cyrillic":             strings.Repeat("Поезд снова опаздывает и никто не знает почему ", 2),
		"ideographs":           strings.Repeat("东京的天气今天很好我们去公园", 3),
		"hangul":               strings.Repeat("한국어 문장은 어떻게 되나요 ", 3),
		"emoji":                "i can’t believe it 😂😂 “so” good… ❤️ see you there tomorrow my friend",
		"a million characters": strings.Repeat("train ", 166_667),
		"a million letters":    strings.Repeat("x", 1_000_000),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var ids []int32
			for b.Loop() {
				ids = tokenizer.Encode(ids[:0], text, 512)
			}
		})
	}
}

func BenchmarkLoad(b *testing.B) {
	dir := needShared(b, "tokenizer")
	bare := withoutTokenizerJSON(b, dir)
	for _, from := range []struct{ name, dir string }{{"tokenizer.json", dir}, {"vocab.txt", bare}} {
		b.Run(filepath.Base(from.name), func(b *testing.B) {
			for b.Loop() {
				load(b, from.dir)
			}
		})
	}
}
