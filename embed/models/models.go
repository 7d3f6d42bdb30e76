// Package models finds the model that a name asks for.
//
//	model, err := models.Open(ctx, "builtin", models.Options{})
//	model, err := models.Open(ctx, "./all-MiniLM-L6-v2", models.Options{Dtype: "int8"})
//	model, err := models.Open(ctx, "sentence-transformers/stsb-distilbert-base", models.Options{})
package models

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"starling/embed"
	"starling/embed/hub"
	"starling/embed/remote"
	"starling/embed/static"
	"starling/embed/transformer"
)

// Builtin is another name of the model that needs no download.
const Builtin = "builtin"

// HashName and WordsName are other names of [static.Name] and [static.WordsName].
const (
	HashName  = "hash-512"
	WordsName = "words-512"
)

// Options say how a model is loaded. The zero value is right for most.
type Options struct {
	// Dtype is the number format that the model computes in: f32, bf16 or
	// int8. Empty leaves the choice to the model. The built-in one has f32
	// only.
	Dtype string
	// NoNormalize leaves vectors at the length that the model gives them. The
	// built-in one always gives them length one.
	NoNormalize bool
	// Prefix is put before every text, as some models want it.
	Prefix string
	// Pull lets a model of the hub be downloaded when it is not on this machine.
	Pull bool
	// Progress is told how a download goes on: the bytes of a file that are
	// there, and all of them, -1 if that is not known. It may be nil.
	Progress func(file string, done, total int64)
}

// A Tokenizer is a model that can show the ids of a text's tokens, special
// tokens included.
type Tokenizer interface {
	Tokenize(text string) []int
}

// Open loads the model name: one of those that [List] names, [Builtin], the
// path of a folder that package static or transformer reads, or the name of such a folder
// on the hub, which is looked for as package hub does, or the URL of a server as
// package remote has it. A folder's model has its absolute path for a name. Not
// every model is a [Tokenizer].
func Open(ctx context.Context, name string, opts Options) (embed.Embedder, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("opening model %q: %w", name, err)
	}
	switch {
	case isStatic(name):
		return openStatic(name, opts)
	case isFolder(name):
		return openFolder(name, opts)
	case remote.Is(name):
		return openRemote(ctx, name, opts)
	}
	return openHub(ctx, name, opts)
}

// isFolder says whether name is a path: one that exists, or is written as one.
func isFolder(name string) bool {
	if info, err := os.Stat(name); err == nil {
		return info.IsDir()
	}
	return filepath.IsAbs(name) || strings.HasPrefix(filepath.ToSlash(name), "./") || strings.HasPrefix(filepath.ToSlash(name), "../")
}

func openFolder(name string, opts Options) (embed.Embedder, error) {
	dir, err := filepath.Abs(name)
	if err != nil {
		return nil, fmt.Errorf("opening model %q: %w", name, err)
	}
	if static.IsFolder(dir) {
		return openStatic(dir, opts)
	}
	return openTransformer(dir, dir, opts)
}

// openHub loads a model of the hub from this machine or, if it may, downloads it.
func openHub(ctx context.Context, name string, opts Options) (embed.Embedder, error) {
	dir, err := hub.Find(name, hub.Options{})
	if opts.Pull && errors.Is(err, hub.ErrNotFound) {
		dir, err = hub.Pull(ctx, name, hub.Options{Progress: opts.Progress})
	}
	if err != nil {
		return nil, fmt.Errorf("%w; %s needs no download", err, Builtin)
	}
	repository, err := hub.Repository(name)
	if err != nil {
		return nil, fmt.Errorf("opening model %q: %w", name, err)
	}
	return openTransformer(dir, repository, opts)
}

func openTransformer(dir, name string, opts Options) (embed.Embedder, error) {
	model, err := transformer.Open(dir, transformer.Options{
		Name: name, DType: opts.Dtype, NoNormalize: opts.NoNormalize, Prefix: opts.Prefix,
	})
	if err != nil {
		return nil, err
	}
	return model, nil
}

func openStatic(name string, opts Options) (embed.Embedder, error) {
	if opts.Dtype != "" && opts.Dtype != "f32" {
		return nil, fmt.Errorf("model %q has no dtype %q: it has f32 only", name, opts.Dtype)
	}
	if opts.Prefix != "" {
		return nil, fmt.Errorf("model %q takes no prefix: its vectors are of the words of a text alone", name)
	}
	model, err := loadStatic(name)
	if err != nil {
		return nil, fmt.Errorf("opening model %q: %w", name, err)
	}
	return model, nil
}

// defaultName is the model that [Builtin] stands for.
const defaultName = static.WordsName

// loadStatic loads a model of package static by its name, or from its folder.
func loadStatic(name string) (embed.Embedder, error) {
	if name == Builtin {
		name = defaultName
	}
	switch name {
	case static.Name, HashName:
		return static.New()
	case static.WordsName, WordsName:
		return static.NewWords()
	}
	return static.Open(name, name)
}

// isStatic says whether name is one of the models in the binary.
func isStatic(name string) bool {
	switch name {
	case Builtin, static.Name, HashName, static.WordsName, WordsName:
		return true
	}
	return false
}

// List describes the models that need no download.
func List() []embed.Info { return []embed.Info{static.Describe(), static.DescribeWords()} }
