package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"starling/dataset"
	"starling/embed/transformer"
)

// A mix is texts that every contender embeds.
type mix struct {
	title   string
	batches []int // sizes of batches to try
	texts   []text
}

// A text is a text with its token ids.
type text struct {
	text string
	ids  []int
}

// textMixes returns the texts to measure with.
func textMixes(ctx context.Context, path string, model *transformer.Model) ([]mix, error) {
	real, err := realTexts(ctx, path)
	if err != nil {
		return nil, err
	}
	equal := make([]string, 128)
	for i := range equal {
		equal[i] = strings.TrimSpace(strings.Repeat("the ", 22)) // 24 tokens with [CLS] and [SEP]
	}
	mixes := []mix{
		{title: "texts of 24 tokens", batches: []int{8, 32, 128}, texts: tokenize(model, equal)},
		{title: "texts of real lengths", batches: []int{8, 32, 128}, texts: tokenize(model, spread(real, 256))},
		{title: "texts of 24 tokens, one at a time", batches: []int{1}, texts: tokenize(model, equal[:48])},
	}
	tokens := 0
	for _, t := range mixes[1].texts {
		tokens += len(t.ids)
	}
	mixes[1].title += fmt.Sprintf(" (%d, of %.1f tokens in the mean)", len(mixes[1].texts), float64(tokens)/float64(len(mixes[1].texts)))
	return mixes, nil
}

func realTexts(ctx context.Context, path string) ([]string, error) {
	if path == "" {
		return sample(ctx)
	}
	lines, err := readLines(path)
	for i, line := range lines {
		lines[i], _, _ = strings.Cut(line, ";")
	}
	return lines, err
}

func sample(ctx context.Context) ([]string, error) {
	collection, err := dataset.Open(ctx, dataset.Options{Name: "sample"})
	if err != nil {
		return nil, err
	}
	var texts []string
	for item, err := range collection.Items() {
		if err != nil {
			return nil, err
		}
		texts = append(texts, item.Text)
	}
	return texts, nil
}

// spread takes n texts at even distances.
func spread(texts []string, n int) []string {
	n = min(n, len(texts))
	taken := make([]string, n)
	for i := range taken {
		taken[i] = texts[i*len(texts)/n]
	}
	return taken
}

func tokenize(model *transformer.Model, texts []string) []text {
	tokenized := make([]text, len(texts))
	for i, t := range texts {
		tokenized[i] = text{text: t, ids: model.Tokenize(t)}
	}
	return tokenized
}

func readLines(path string) ([]string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return strings.Split(strings.TrimSuffix(string(data), "\n"), "\n"), nil
}
