package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"starling/console"
	"starling/embed"
	"starling/embed/models"
)

// lineFlags say what the lines on standard input are.
type lineFlags struct {
	Model     string `help:"Name of a model, or its folder." default:"builtin" placeholder:"NAME|DIR"`
	JSONLines bool   `help:"Each line is a JSON string, so that texts may hold line ends."`
}

const (
	// maxLineBytes bounds a line of standard input: a text of the largest size
	// with every byte escaped.
	maxLineBytes = 6*(64<<10) + 2
	// linesAtATime is how many lines are embedded together.
	linesAtATime = 256
)

// batches reads lines and calls use with up to linesAtATime texts at a time and
// the number of the first line. Where input waits, texts are used as they come.
func (f lineFlags) batches(in io.Reader, use func(first int, texts []string) error) error {
	input := bufio.NewReaderSize(in, 64<<10)
	scanner := bufio.NewScanner(input)
	scanner.Buffer(make([]byte, 64<<10), maxLineBytes)
	var texts []string
	line := 0
	for scanner.Scan() {
		line++
		text := strings.TrimSuffix(scanner.Text(), "\r")
		if f.JSONLines {
			if err := json.Unmarshal(scanner.Bytes(), &text); err != nil {
				return fmt.Errorf("line %d: not a JSON string: %w", line, err)
			}
		}
		texts = append(texts, text)
		if len(texts) == linesAtATime {
			if err := use(line-len(texts)+1, texts); err != nil {
				return err
			}
			texts = texts[:0]
		}
	}
	if err := scanner.Err(); err != nil {
		return fmt.Errorf("line %d: %w", line+1, err)
	}
	if len(texts) == 0 {
		return nil
	}
	return use(line-len(texts)+1, texts)
}

type embedCmd struct {
	lineFlags
	Dtype       string `help:"Number format of the computation: f32, bf16 or int8; by default the best one for the model on this processor." enum:"f32,bf16,int8," default:""`
	NoNormalize bool   `help:"Leave vectors at the length that the model gives them."`
	Format      string `help:"json: one array a line; f32: raw little-endian float32." enum:"json,f32" default:"json"`
}

// Run embeds standard input.
func (c *embedCmd) Run(ctx context.Context, std streams) error {
	model, err := models.Open(ctx, c.Model, models.Options{Dtype: c.Dtype, NoNormalize: c.NoNormalize})
	if err != nil {
		return err
	}
	out := bufio.NewWriter(std.out)
	write := writeJSONVector
	if c.Format == "f32" {
		write = writeRawVector
	}
	err = c.batches(std.in, func(first int, texts []string) error {
		vectors, err := model.Embed(ctx, texts)
		if err != nil {
			return atLine(first, err)
		}
		for _, vector := range vectors {
			if err := write(out, vector); err != nil {
				return err
			}
		}
		return out.Flush()
	})
	return errors.Join(err, out.Flush())
}

// atLine names the line that a text came from.
func atLine(first int, err error) error {
	var bad *embed.TextError
	if errors.As(err, &bad) {
		return fmt.Errorf("line %d: %w", first+bad.Index, bad.Err)
	}
	return err
}

func writeJSONVector(w io.Writer, vector []float32) error { return json.NewEncoder(w).Encode(vector) }

func writeRawVector(w io.Writer, vector []float32) error {
	return binary.Write(w, binary.LittleEndian, vector)
}

type tokenizeCmd struct{ lineFlags }

// Run tokenizes standard input.
func (c *tokenizeCmd) Run(ctx context.Context, std streams) error {
	model, err := models.Open(ctx, c.Model, models.Options{})
	if err != nil {
		return err
	}
	tokenizer, ok := model.(models.Tokenizer)
	if !ok {
		return fmt.Errorf("model %s has no tokens to show", model.Info().Name)
	}
	out := bufio.NewWriter(std.out)
	err = c.batches(std.in, func(_ int, texts []string) error {
		for _, text := range texts {
			ids := tokenizer.Tokenize(text)
			if ids == nil {
				ids = []int{}
			}
			if err := json.NewEncoder(out).Encode(ids); err != nil {
				return err
			}
		}
		return out.Flush()
	})
	return errors.Join(err, out.Flush())
}

type modelCmd struct {
	List modelListCmd `cmd:"" help:"List the models at hand."`
	Info modelInfoCmd `cmd:"" help:"Describe a model."`
}

type modelListCmd struct{}

// Run prints one model a line.
func (modelListCmd) Run(std streams) error {
	for _, info := range models.List() {
		if _, err := fmt.Fprintf(std.out, "%-20s %4d dimensions  %s\n", info.Name, info.Dim, info.Description); err != nil {
			return err
		}
	}
	return nil
}

type modelInfoCmd struct {
	Model string `arg:"" optional:"" help:"Name of a model, or its folder." default:"builtin"`
	JSON  bool   `help:"Print one JSON object."`
}

// Run prints what is known of a model, and the threshold found for it.
func (c modelInfoCmd) Run(ctx context.Context, std streams) error {
	model, err := models.Open(ctx, c.Model, models.Options{})
	if err != nil {
		return err
	}
	found, err := calibrate(ctx, model)
	if err != nil {
		return err
	}
	info := model.Info()
	if c.JSON {
		return console.WriteJSON(std.out, struct {
			embed.Info
			Calibration any `json:"calibration"`
		}{info, found})
	}
	_, err = fmt.Fprintf(std.out, "name         %s\ndescription  %s\ndimensions   %d\nlicence      %s\nfingerprint  %s\n"+
		"threshold    %.3f (unrelated texts have cosine %.3f, give or take %.3f)\n",
		info.Name, info.Description, info.Dim, info.Licence, info.Fingerprint, found.Threshold, found.Mean, found.Deviation)
	return err
}
