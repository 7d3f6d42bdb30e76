package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"starling/embed"
	"starling/embed/models"
)

type embedCmd struct {
	lineFlags
	NoNormalize bool   `help:"Leave vectors at the length that the model gives them."`
	Format      string `help:"json: one array a line; f32: raw little-endian float32." enum:"json,f32" default:"json" placeholder:"json|f32"`
}

// Help says what goes in and comes out.
func (embedCmd) Help() string {
	return "Reads one text a line from standard input and writes one vector each to standard output, in the same order."
}

// Run embeds standard input.
func (c *embedCmd) Run(ctx context.Context, std streams) error {
	options := c.options(std)
	options.NoNormalize = c.NoNormalize
	model, err := models.Open(ctx, c.Model, options)
	if err != nil {
		return err
	}
	write := writeJSONVector
	if c.Format == "f32" {
		write = writeRawVector
	}
	out := bufio.NewWriter(std.out)
	return c.batches(std.in, func(first int, texts []string) error {
		vectors, err := model.Embed(ctx, texts)
		var bad *embed.TextError
		if errors.As(err, &bad) {
			return atLine(first+bad.Index, bad.Err)
		}
		if err != nil {
			return err
		}
		for _, vector := range vectors {
			if err := write(out, vector); err != nil {
				return err
			}
		}
		return out.Flush()
	})
}

func writeJSONVector(w io.Writer, vector []float32) error { return json.NewEncoder(w).Encode(vector) }

func writeRawVector(w io.Writer, vector []float32) error {
	return binary.Write(w, binary.LittleEndian, vector)
}

type tokenizeCmd struct{ lineFlags }

// Help says what goes in and comes out.
func (tokenizeCmd) Help() string {
	return "Reads one text a line from standard input and writes one JSON array of token ids each to standard output, " +
		"special tokens included."
}

// Run tokenizes standard input.
func (c *tokenizeCmd) Run(ctx context.Context, std streams) error {
	model, err := c.openModel(ctx, std)
	if err != nil {
		return err
	}
	tokenizer, ok := model.(models.Tokenizer)
	if !ok {
		return fmt.Errorf("model %s has no tokens to show", model.Info().Name)
	}
	out := bufio.NewWriter(std.out)
	return c.batches(std.in, func(_ int, texts []string) error {
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
}
