package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"time"

	"starling/console"
	"starling/pipeline"
	"starling/store"
)

// deadlettersCmd looks after the messages that could not be processed.
type deadlettersCmd struct {
	State string `required:"" help:"Folder of the state." placeholder:"DIR" type:"path"`

	List  lettersListCmd  `cmd:"" help:"List the messages that could not be processed, and why."`
	Retry lettersRetryCmd `cmd:"" help:"Process them once more, after the cause is mended."`
	Drop  lettersDropCmd  `cmd:"" help:"Remove those that are not wanted any more."`
}

// Help says what a dead letter is.
func (deadlettersCmd) Help() string {
	return "A message that cannot be made a document, because its text is empty or not UTF-8 or the model has no vector for " +
		"it, is a dead letter: the state keeps it with its body, attributes, time and the reason, and the stream goes on."
}

// letterSelection says which dead letters are meant.
type letterSelection struct {
	Number []int64 `arg:"" optional:"" help:"Numbers of dead letters, as list prints them."`
	All    bool    `help:"All of them."`
	Reason string  `help:"Those whose reason contains a text." placeholder:"TEXT"`
}

// validate refuses a selection of nothing, or of more than one kind.
func (s letterSelection) validate() error {
	kinds := 0
	for _, given := range []bool{len(s.Number) > 0, s.All, s.Reason != ""} {
		if given {
			kinds++
		}
	}
	if kinds != 1 {
		return errors.New("say which dead letters: their numbers, or --reason TEXT, or --all")
	}
	return nil
}

func (s letterSelection) has(letter store.DeadLetter) bool {
	return s.All || slices.Contains(s.Number, letter.Number) || s.Reason != "" && strings.Contains(letter.Reason, s.Reason)
}

// find returns the numbers of those that are meant.
func (s letterSelection) find(ctx context.Context, st *store.Store) ([]int64, error) {
	if err := s.validate(); err != nil {
		return nil, err
	}
	var found []int64
	for letter, err := range st.DeadLetters(ctx) {
		if err != nil {
			return nil, err
		}
		if s.has(letter) {
			found = append(found, letter.Number)
		}
	}
	for _, number := range s.Number {
		if !slices.Contains(found, number) {
			return nil, fmt.Errorf("there is no dead letter %d; `starling deadletters list` shows those there are", number)
		}
	}
	return found, nil
}

type lettersListCmd struct {
	JSON   bool   `help:"Print one JSON object a dead letter, bodies included."`
	Reason string `help:"Only those whose reason contains a text." placeholder:"TEXT"`
	Limit  *int   `help:"Most dead letters to print, 0 for all; by default 20 in the table and all in JSON." placeholder:"N"`
}

// Run lists dead letters in the order they came.
func (c *lettersListCmd) Run(ctx context.Context, std streams, letters *deadlettersCmd) error {
	limit := tableRows
	if c.JSON {
		limit = 0
	}
	if c.Limit != nil {
		limit = *c.Limit
	}
	if limit < 0 {
		return fmt.Errorf("--limit %d: must not be negative", limit)
	}
	st, err := openToRead(ctx, letters.State)
	if err != nil {
		return err
	}
	return errors.Join(c.list(ctx, std.out, st, limit), st.Close())
}

func (c *lettersListCmd) list(ctx context.Context, out io.Writer, st *store.Store, limit int) error {
	shown, found := 0, 0
	for letter, err := range st.DeadLetters(ctx) {
		if err != nil {
			return err
		}
		if !strings.Contains(letter.Reason, c.Reason) {
			continue
		}
		if found++; limit > 0 && shown == limit {
			continue
		}
		shown++
		if err := c.print(out, letter); err != nil {
			return err
		}
	}
	if c.JSON {
		return nil
	}
	more := ""
	if found > shown {
		more = fmt.Sprintf(", %d of them not shown; --limit 0 shows all", found-shown)
	}
	_, err := fmt.Fprintf(out, "%d dead letters%s\n", found, more)
	return err
}

func (c *lettersListCmd) print(out io.Writer, letter store.DeadLetter) error {
	if c.JSON {
		return console.WriteJSON(out, pipeline.ViewDeadLetter(letter, 0))
	}
	when := "-"
	if !letter.Time.IsZero() {
		when = letter.Time.Format(time.DateTime)
	}
	const idWidth = 24
	body := max(20, console.Width(out)-len("123456  2006-01-02 15:04:05    ")-idWidth)
	_, err := fmt.Fprintf(out, "%6d  %-19s  %-*s  %s\n        %s\n", letter.Number, when,
		idWidth, console.Clip(orDash(letter.DocumentID, letter.MessageID), idWidth),
		console.Clip(string(letter.Body[:min(len(letter.Body), 4*body)]), body), console.Safe(letter.Reason))
	return err
}

// orDash returns the first text that is not empty, or a dash.
func orDash(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return "-"
}

type lettersRetryCmd struct {
	letterSelection
	decodingFlags
}

// Help says what becomes of them.
func (lettersRetryCmd) Help() string {
	return "The messages are processed as a run would process them now, after all that came before. A document whose id the " +
		"state has already is not counted again. Those that become documents leave the list in the same transaction; the " +
		"others stay, with the reason of now, and the exit status is 1. No run may have the state open meanwhile. The updates " +
		"are published by the next run. How messages are read is not kept: say it as to the run."
}

// Run retries dead letters.
func (c *lettersRetryCmd) Run(ctx context.Context, std streams, letters *deadlettersCmd) error {
	if err := c.validate(); err != nil {
		return err
	}
	st, err := openToWrite(ctx, letters.State)
	if err != nil {
		return err
	}
	return errors.Join(c.retry(ctx, std, st), st.Close())
}

func (c *lettersRetryCmd) retry(ctx context.Context, std streams, st *store.Store) error {
	numbers, err := c.find(ctx, st)
	if err != nil {
		return err
	}
	if len(numbers) == 0 {
		fmt.Fprintln(std.err, "there are no such dead letters")
		return nil
	}
	settings := pipeline.Settings{Store: st}
	if settings.Decoder, err = c.decoder(); err != nil {
		return err
	}
	if settings.State, err = pipeline.Recover(ctx, st); err != nil {
		return err
	}
	if settings.Model, err = (&reading{store: st, state: settings.State}).model(ctx); err != nil {
		return err
	}
	bar := console.NewProgress(std.err, "retrying", int64(len(numbers)))
	settings.OnDeadLetters = func(refused []store.DeadLetter) {
		for _, letter := range refused {
			complain(std.err, fmt.Errorf("dead letter %d (%s): %s", letter.Number, orDash(letter.DocumentID, letter.MessageID), letter.Reason))
		}
	}
	summary, err := pipeline.Retry(ctx, settings, chosen(st.DeadLetters(ctx), numbers, bar.Set))
	bar.Done()
	fmt.Fprintf(std.err, "retried %d dead letters: %d are documents now, %d were already, %d are still dead letters\n",
		summary.Documents+summary.Duplicates+summary.DeadLetters, summary.Documents, summary.Duplicates, summary.DeadLetters)
	if err == nil && summary.DeadLetters > 0 {
		err = fmt.Errorf("%d of %d could not be processed", summary.DeadLetters, len(numbers))
	}
	return err
}

// chosen yields the letters with some numbers, and tells how many it has.
func chosen(letters iter.Seq2[store.DeadLetter, error], numbers []int64, progress func(int64)) iter.Seq2[store.DeadLetter, error] {
	return func(yield func(store.DeadLetter, error) bool) {
		done := int64(0)
		for letter, err := range letters {
			if err == nil {
				if _, is := slices.BinarySearch(numbers, letter.Number); !is {
					continue
				}
				done++
				progress(done)
			}
			if !yield(letter, err) {
				return
			}
		}
	}
}

type lettersDropCmd struct{ letterSelection }

// Help says what is gone.
func (lettersDropCmd) Help() string {
	return "What is dropped is gone. SQLite may keep it in unused parts of the file until `starling state compact`. No run may " +
		"have the state open meanwhile."
}

// dropAtATime is how many dead letters leave in one transaction.
const dropAtATime = 1024

// Run drops dead letters.
func (c *lettersDropCmd) Run(ctx context.Context, std streams, letters *deadlettersCmd) error {
	if err := c.validate(); err != nil {
		return err
	}
	st, err := openToWrite(ctx, letters.State)
	if err != nil {
		return err
	}
	return errors.Join(c.drop(ctx, std, st), st.Close())
}

func (c *lettersDropCmd) drop(ctx context.Context, std streams, st *store.Store) error {
	numbers, err := c.find(ctx, st)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(numbers, dropAtATime) {
		if err := st.Commit(ctx, store.Batch{Settled: some}); err != nil {
			return err
		}
	}
	left, err := st.CountDeadLetters(ctx)
	if err == nil {
		fmt.Fprintf(std.err, "dropped %d dead letters; %d are left\n", len(numbers), left)
	}
	return err
}

// openToRead opens a state for reading, beside a run or not.
func openToRead(ctx context.Context, dir string) (*store.Store, error) {
	st, err := store.OpenReader(ctx, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no state in %s", dir)
	}
	return st, err
}

// openToWrite opens a state that no run has open.
func openToWrite(ctx context.Context, dir string) (*store.Store, error) {
	st, err := store.Open(ctx, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no state in %s", dir)
	}
	return st, err
}
