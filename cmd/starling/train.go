package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"starling/console"
	"starling/dataset"
	"starling/embed/static"
	"starling/embed/static/train"
)

type modelTrainCmd struct {
	Corpus  []string `help:"Files of texts, one a line: plain, .gz or .zst. More of them may follow without the flag." required:"" sep:"none" placeholder:"FILE..."`
	More    []string `arg:"" optional:"" hidden:"" name:"file"`
	Out     string   `help:"Folder that the model is written into." required:"" type:"path" placeholder:"DIR"`
	Name    string   `help:"Name in the model's card; by default that of the folder."`
	Licence string   `help:"Licence in the model's card, an SPDX expression. It depends on the corpus." default:"LicenseRef-unknown"`
	Words   int      `help:"Give vectors to this many words at most." default:"36000"`
	MinN    int      `name:"min-count" help:"Give vectors to words that occur this often." default:"5"`
	Cap     int      `name:"source-tokens" help:"Let no file count for more tokens." default:"200000"`
	Window  int      `help:"How many words apart two words are near." default:"5"`
	Dim     int      `help:"Values of the semantic part of a vector." default:"256"`
	Lexical int      `name:"lexical-dim" help:"Values of the lexical part of a vector." enum:"128,256,512" default:"256"`
	Balance float64  `help:"Length of the semantic part where that of the lexical part is one, in texts of everyday words." default:"1.2"`
	Rare    float64  `name:"balance-rare" help:"The same in texts of rare words, such as names." default:"0.5"`
	Steps   int      `help:"Steps in which vectors learn to tell texts apart; 0 for none." default:"2000"`
	Ngrams  int      `help:"Vectors that the n-grams of characters share." default:"8000"`
	Seed    uint64   `help:"Where the search for vectors begins." default:"1"`
}

// Help says what is found and how.
func (modelTrainCmd) Help() string {
	return "Finds vectors for the words of a corpus, so that words used alike are close, and writes a folder that --model takes. " +
		"Forty million tokens took three minutes on two busy cores. The same files, settings and kind of " +
		"processor give the same bytes, whatever the number of cores and the order of the files."
}

// cardWords are those whose neighbours a card shows.
var cardWords = []string{"nostalgic", "terrified", "refund", "recursion", "goalkeeper"}

// Run trains a model and prints its card.
func (c modelTrainCmd) Run(ctx context.Context, std streams) error {
	paths, err := sortedFiles(append(c.Corpus, c.More...))
	if err != nil {
		return err
	}
	settings := c.settings()
	model, err := train.Train(ctx, paths, settings, stages(std))
	if err != nil {
		return err
	}
	card, err := c.describe(ctx, model, paths, settings)
	if err != nil {
		return err
	}
	if card, err = static.Save(c.Out, card, model.Weights); err != nil {
		return fmt.Errorf("writing the model: %w", err)
	}
	_, err = fmt.Fprintf(std.out, "%s\n%d words, %d dimensions, sha256 %s\n", c.Out, card.Words, card.Dim(), card.SHA256)
	return err
}

func (c modelTrainCmd) settings() train.Config {
	s := train.Defaults()
	s.Words, s.MinCount, s.SourceTokens, s.Window = c.Words, c.MinN, c.Cap, c.Window
	s.Steps = c.Steps
	s.Dim, s.LexicalDim, s.Balance, s.BalanceRare = c.Dim, c.Lexical, c.Balance, c.Rare
	s.Ngrams, s.Seed = c.Ngrams, c.Seed
	return s
}

// sortedFiles returns paths by the names of the files, which must differ.
func sortedFiles(paths []string) ([]string, error) {
	byName := func(a, b string) int {
		return cmp.Or(strings.Compare(filepath.Base(a), filepath.Base(b)), strings.Compare(a, b))
	}
	sorted := slices.SortedFunc(slices.Values(paths), byName)
	for i, path := range sorted[1:] {
		if filepath.Base(path) == filepath.Base(sorted[i]) {
			return nil, fmt.Errorf("two files of the corpus are called %s: rename one", filepath.Base(path))
		}
	}
	return sorted, nil
}

// describe completes the card of a model.
func (c modelTrainCmd) describe(ctx context.Context, m *train.Model, paths []string, settings train.Config) (static.Card, error) {
	record, err := m.Recorded(paths, settings)
	if err != nil {
		return m.Card, err
	}
	card := m.Card
	if card.Training, err = json.Marshal(record); err != nil {
		return card, err
	}
	card.Name, card.Licence = cmp.Or(c.Name, filepath.Base(c.Out)), c.Licence
	card.Description = fmt.Sprintf("Vectors of %d words from %d tokens, joined with hashed words and character n-grams.",
		len(m.Weights.Words), record.Tokens)
	card.Words, card.Ngrams = len(m.Weights.Words), len(m.Weights.Ngrams.Scales)
	words := static.NewWordModel(card, m.Weights)
	if card.Nearest, err = neighbours(words, m.Weights.Words); err != nil {
		return card, err
	}
	sample, err := scoresOfSample(ctx, words)
	card.Scores = map[string]static.Scores{dataset.Sample: sample}
	return card, err
}

// scoresOfSample scores a model on the texts that everyone has.
func scoresOfSample(ctx context.Context, words *static.WordModel) (static.Scores, error) {
	items, err := modelEvalCmd{Input: dataset.Sample, Limit: 3000}.items(ctx)
	if err != nil {
		return static.Scores{}, err
	}
	var report modelReport
	err = report.compare(ctx, words, items)
	return report.Scores, err
}

func neighbours(model *static.WordModel, known []string) (map[string][]string, error) {
	lists := make(map[string][]string)
	for _, word := range cardWords {
		if !slices.Contains(known, word) {
			continue
		}
		nearest, err := model.Nearest(word, 10)
		if err != nil && !errors.Is(err, static.ErrNoWord) {
			return nil, err
		}
		for _, n := range nearest {
			lists[word] = append(lists[word], n.Word)
		}
	}
	return lists, nil
}

// stages returns what shows a bar for one stage of the training after the other.
func stages(std streams) func(train.Stage, int) {
	var mu sync.Mutex
	var bar *console.Progress
	var showing train.Stage
	most := 0
	return func(s train.Stage, done int) {
		mu.Lock()
		defer mu.Unlock()
		if s != showing || bar == nil {
			bar, showing, most = console.NewProgress(std.err, s.Name, int64(s.Steps)), s, 0
		}
		if most = max(most, done); most == done {
			bar.Set(int64(done))
		}
		if done == s.Steps {
			bar.Done()
		}
	}
}
