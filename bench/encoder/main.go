// Command encoder measures Starling's encoder side by side with ONNX Runtime
// and PyTorch: one model of DistilBERT's size with random weights, the same for
// all, and the same texts, measured in turn in one run.
//
//	go run ./bench/encoder --rounds 7
//
// A peer that is not installed is named and left out.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"starling/bench/internal/rounds"
	"starling/embed/modeltest"
)

func main() {
	count := flag.Int("rounds", 7, "how often each contender is measured")
	texts := flag.String("texts", "", "file with a text (or text;label) a line, for the mix of real lengths; by default the shipped sample")
	vocabulary := flag.String("vocabulary", "", "vocab.txt to tokenize with; by default one that knows no real word")
	peers := flag.String("peers", "bench/encoder/peers", "folder with the programs of the peers")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := compare(ctx, *count, *texts, *vocabulary, *peers)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "encoder:", err)
		os.Exit(1)
	}
}

// compare measures all contenders and prints the tables.
func compare(ctx context.Context, count int, texts, vocabulary, peers string) (err error) {
	dir, err := os.MkdirTemp("", "starling-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	folder := filepath.Join(dir, "model")
	if err := writeModel(folder, vocabulary); err != nil {
		return err
	}
	if err := reportLoading(ctx, folder); err != nil {
		return err
	}
	ours, err := openOurs(folder)
	if err != nil {
		return err
	}
	mixes, err := textMixes(ctx, texts, ours["f32"])
	if err != nil {
		return err
	}
	lane := contenders(ours)
	for _, start := range startPeers(ctx, folder, dir, peers) {
		defer start.peer.Close()
		lane = append(lane, start.contender)
	}
	if err := agree(ctx, mixes[0], lane); err != nil {
		return err
	}
	for _, mix := range mixes {
		table, err := measure(ctx, count, mix, lane)
		if err != nil {
			return err
		}
		report(mix, table)
	}
	return nil
}

func writeModel(folder, vocabulary string) error {
	shape := modeltest.DistilBERTBase
	if vocabulary != "" {
		words, err := readLines(vocabulary)
		if err != nil {
			return err
		}
		shape.Vocabulary = words
	}
	if err := os.Mkdir(folder, 0o777); err != nil {
		return err
	}
	return shape.Write(folder)
}

// settle lets threads that spin after their work come to rest.
const settle = 150 * time.Millisecond

// measure takes count turns of each contender over a mix.
func measure(ctx context.Context, count int, mix mix, lane []contender) (*rounds.Table, error) {
	table := rounds.NewTable()
	for range count {
		for _, c := range lane {
			for _, batch := range mix.batches {
				if c.only != 0 && c.only != batch {
					continue
				}
				time.Sleep(settle)
				took, _, err := c.embed(ctx, mix.texts, batch)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", c.name, err)
				}
				setting := fmt.Sprintf("%s, batches of %d", c.setting, batch)
				table.Add(c.name, setting, float64(len(mix.texts))/took.Seconds())
			}
		}
	}
	return table, nil
}
