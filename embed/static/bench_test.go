package static

import (
	"bufio"
	"context"
	"os"
	"strings"
	"testing"
)

// tweets returns the texts of the test split of the emotion collection.
func tweets(tb testing.TB) []string {
	tb.Helper()
	const path = "../../../shared/data/emotion/test.txt"
	f, err := os.Open(path)
	if err != nil {
		tb.Skipf("no tweets to embed: %v", err)
	}
	defer func() { _ = f.Close() }()
	var texts []string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		text, _, _ := strings.Cut(lines.Text(), ";")
		texts = append(texts, text)
	}
	return texts
}

func BenchmarkEmbed(b *testing.B) {
	texts := tweets(b)
	m, err := New()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for i := 0; i+32 <= len(texts); i += 32 {
			if _, err := m.Embed(context.Background(), texts[i:i+32]); err != nil {
				b.Fatal(err)
			}
			n += 32
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "texts/s")
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if _, err := readTable(strings.NewReader(string(packedWords))); err != nil {
			b.Fatal(err)
		}
	}
}
