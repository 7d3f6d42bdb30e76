package transformer_test

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"starling/embed/modeltest"
	"starling/embed/transformer"
)

const shared = "../../../shared"

// big returns a folder with a model of DistilBERT's size, with the vocabulary
// of BERT where it is at hand.
func big(b *testing.B) string {
	b.Helper()
	shape := modeltest.DistilBERTBase
	if text, err := os.ReadFile(filepath.Join(shared, "tokenizer", "vocab.txt")); err == nil {
		shape.Vocabulary = strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	}
	return folder(b, shape)
}

// tweets returns the texts of the emotion collection's test split.
func tweets(b *testing.B) []string {
	b.Helper()
	for _, path := range []string{filepath.Join(shared, "tokenizer", "vocab.txt"), filepath.Join(shared, "data", "emotion", "test.txt")} {
		if _, err := os.Stat(path); err != nil {
			b.Skipf("the mix of real lengths needs %s", path)
		}
	}
	file, err := os.Open(filepath.Join(shared, "data", "emotion", "test.txt"))
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	var texts []string
	for lines := bufio.NewScanner(file); lines.Scan(); {
		text, _, _ := strings.Cut(lines.Text(), ";")
		texts = append(texts, text)
	}
	return texts
}

// BenchmarkEncode measures whole embeddings of a model of DistilBERT's size.
func BenchmarkEncode(b *testing.B) {
	dir := big(b)
	equal := make([]string, 32)
	for i := range equal {
		equal[i] = strings.TrimSpace(strings.Repeat("the ", 22)) // 24 tokens
	}
	for _, dtype := range []string{"f32", "bf16", "int8"} {
		model := open(b, dir, transformer.Options{DType: dtype})
		b.Run(dtype+"/24 tokens", func(b *testing.B) { benchmark(b, model, equal, 32) })
		b.Run(dtype+"/24 tokens, one at a time", func(b *testing.B) { benchmark(b, model, equal, 1) })
		b.Run(dtype+"/real lengths", func(b *testing.B) { benchmark(b, model, tweets(b), 32) })
	}
}

// benchmark embeds texts over and over, size at a time.
func benchmark(b *testing.B, model *transformer.Model, texts []string, size int) {
	done := 0
	for b.Loop() {
		at := done % (len(texts) - size + 1)
		if _, err := model.Embed(b.Context(), texts[at:at+size]); err != nil {
			b.Fatal(err)
		}
		done += size
	}
	b.ReportMetric(float64(done)/b.Elapsed().Seconds(), "texts/s")
}

func BenchmarkOpen(b *testing.B) {
	dir := big(b)
	for _, dtype := range []string{"f32", "bf16", "int8"} {
		b.Run(dtype, func(b *testing.B) {
			for b.Loop() {
				open(b, dir, transformer.Options{DType: dtype})
			}
		})
	}
}
