package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"starling/console"
	"starling/dataset"
	"starling/embed"
	"starling/embed/static"
	"starling/vec"
)

type modelEvalCmd struct {
	modelFlags
	Word       []string `help:"Show the words closest to this one; may be repeated." default:"nostalgic,terrified,refund,recursion,goalkeeper" placeholder:"WORD"`
	Input      string   `help:"Labelled texts: a file of JSONL, CSV, TSV, Parquet or lines of text;label, or sample." default:"sample" placeholder:"FILE"`
	TextField  string   `help:"Field that holds the text; guessed from usual names." placeholder:"FIELD"`
	LabelField string   `help:"Field that holds the label; guessed from usual names, and theme for the sample." placeholder:"FIELD"`
	Limit      int      `help:"Look at the first N texts." default:"3000" placeholder:"N"`
	JSON       bool     `help:"Print one JSON object."`
}

// Help says what is shown.
func (modelEvalCmd) Help() string {
	return "Shows what a model takes for alike: the words closest to some words, for models that have words; for some of the " +
		"texts the closest other texts; and how well closeness goes with the labels. nearest_label is the share of texts whose " +
		"closest text has the same label, by_chance what random texts would reach. auc is how often two texts of one label are " +
		"closer than two of different labels, 0.5 by chance."
}

// Run prints what the model takes for alike.
func (c *modelEvalCmd) Run(ctx context.Context, std streams) error {
	if c.Limit < 2 || c.Limit > 20_000 {
		return fmt.Errorf("--limit %d is not between 2 and 20000", c.Limit)
	}
	model, err := c.openModel(ctx, std)
	if err != nil {
		return err
	}
	report := modelReport{Model: model.Info().Name}
	if words, ok := model.(*static.WordModel); ok {
		if report.Words, err = c.nearestWords(words); err != nil {
			return err
		}
	}
	items, err := c.items(ctx)
	if err != nil {
		return err
	}
	if err := report.compare(ctx, model, items); err != nil {
		return err
	}
	if c.JSON {
		return console.WriteJSON(std.out, report)
	}
	return report.print(std.out)
}

// items reads the texts that are not blank.
func (c modelEvalCmd) items(ctx context.Context) ([]dataset.Item, error) {
	label := c.LabelField
	if label == "" && c.Input == dataset.Sample {
		label = "theme"
	}
	collection, err := dataset.Open(ctx, dataset.Options{
		Name: c.Input, TextField: c.TextField, LabelField: label, Limit: c.Limit, PlainLabels: true,
	})
	if err != nil {
		return nil, err
	}
	var items []dataset.Item
	for item, err := range collection.Items() {
		if err != nil {
			return nil, err
		}
		if strings.TrimSpace(item.Text) != "" {
			items = append(items, item)
		}
	}
	if len(items) < 2 {
		return nil, errors.New("there are fewer than two texts to compare: name a larger --input")
	}
	return items, nil
}

// A modelReport is what model eval prints.
type modelReport struct {
	Model string        `json:"model"`
	Words []nearestWord `json:"words,omitempty"`
	Texts []nearestText `json:"texts"`
	static.Scores
}

type nearestWord struct {
	Word    string   `json:"word"`
	Nearest []string `json:"nearest"`
}

type nearestText struct {
	Text    string          `json:"text"`
	Nearest []neighbourText `json:"nearest"`
}

type neighbourText struct {
	Text   string  `json:"text"`
	Cosine float32 `json:"cosine"`
}

const shownNeighbours, shownTexts = 10, 5

func (c *modelEvalCmd) nearestWords(model *static.WordModel) ([]nearestWord, error) {
	var all []nearestWord
	for _, word := range c.Word {
		nearest, err := model.Nearest(word, shownNeighbours)
		if err != nil {
			return nil, fmt.Errorf("finding words near %q: %w", word, err)
		}
		shown := nearestWord{Word: word}
		for _, n := range nearest {
			shown.Nearest = append(shown.Nearest, n.Word)
		}
		all = append(all, shown)
	}
	return all, nil
}

// compare compares every text with every other.
func (r *modelReport) compare(ctx context.Context, model embed.Embedder, items []dataset.Item) error {
	rows, err := embedItems(ctx, model, items)
	if err != nil {
		return err
	}
	labels := make(map[string]int)
	for _, item := range items {
		labels[item.Label]++
	}
	r.Documents, r.Labels = len(items), len(labels)
	for _, n := range labels {
		r.ByChance += float64(n) * float64(n-1) / float64(len(items)) / float64(len(items)-1)
	}
	var pairs separation
	cosines := make([]float32, len(items))
	for i, item := range items {
		vec.DotRows(cosines, rows, rows[i*model.Dim():(i+1)*model.Dim()])
		cosines[i] = -2 // not its own neighbour
		order := closest(cosines, 3)
		if items[order[0]].Label == item.Label {
			r.NearestLabel += 1 / float64(len(items))
		}
		for j, other := range items[:i] {
			pairs.add(cosines[j], item.Label == other.Label)
		}
		if step := max(1, len(items)/shownTexts); i%step == 0 && len(r.Texts) < shownTexts {
			r.Texts = append(r.Texts, shownText(items, i, order, cosines))
		}
	}
	r.AUC = pairs.auc()
	return ctx.Err()
}

func embedItems(ctx context.Context, model embed.Embedder, items []dataset.Item) ([]float32, error) {
	rows := make([]float32, 0, len(items)*model.Dim())
	for part := range slices.Chunk(items, linesAtATime) {
		texts := make([]string, len(part))
		for i, item := range part {
			texts[i] = item.Text
		}
		vectors, err := model.Embed(ctx, texts)
		if err != nil {
			return nil, err
		}
		rows = append(rows, slices.Concat(vectors...)...)
	}
	return rows, nil
}

// closest returns the indices of the n largest cosines, largest first, fewer
// where there are not as many.
func closest(cosines []float32, n int) []int {
	var best []int
	for i, x := range cosines {
		at, _ := slices.BinarySearchFunc(best, x, func(b int, x float32) int { return cmp.Compare(x, cosines[b]) })
		if at < n {
			best = slices.Insert(best, at, i)
			best = best[:min(n, len(best))]
		}
	}
	return best
}

func shownText(items []dataset.Item, i int, order []int, cosines []float32) nearestText {
	shown := nearestText{Text: items[i].Text}
	for _, j := range order {
		if j != i {
			shown.Nearest = append(shown.Nearest, neighbourText{items[j].Text, cosines[j]})
		}
	}
	return shown
}

// A separation counts cosines, in steps of a thousandth, of pairs of one label
// and of two.
type separation struct{ same, different [2001]int64 }

func (s *separation) add(cosine float32, same bool) {
	step := min(2000, max(0, int(1000*(cosine+1))))
	if same {
		s.same[step]++
	} else {
		s.different[step]++
	}
}

// auc returns the share of pairs of pairs in which that of one label is closer,
// those of one step counting half; 0.5 where there are none.
func (s *separation) auc() float64 {
	won, below, same := 0.0, 0.0, 0.0
	for step := range s.same {
		here := float64(s.different[step])
		won += float64(s.same[step]) * (below + here/2)
		below += here
		same += float64(s.same[step])
	}
	if same == 0 || below == 0 {
		return 0.5
	}
	return won / same / below
}

// textWidth is how many columns of a text are shown.
const textWidth = 100

func (r *modelReport) print(w io.Writer) error {
	out := bufio.NewWriter(w)
	if len(r.Words) > 0 {
		fmt.Fprintln(out, "nearest words")
	}
	for _, n := range r.Words {
		fmt.Fprintf(out, "  %-12s %s\n", console.Safe(n.Word), console.Safe(strings.Join(n.Nearest, " ")))
	}
	fmt.Fprintln(out, "nearest texts")
	for _, shown := range r.Texts {
		fmt.Fprintf(out, "  %s\n", console.Clip(shown.Text, textWidth))
		for _, n := range shown.Nearest {
			fmt.Fprintf(out, "    %5.2f  %s\n", n.Cosine, console.Clip(n.Text, textWidth))
		}
	}
	fmt.Fprintf(out, "%d texts of %d labels: nearest_label %.3f (by_chance %.3f), auc %.3f\n",
		r.Documents, r.Labels, r.NearestLabel, r.ByChance, r.AUC)
	return out.Flush()
}
