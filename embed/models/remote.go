package models

import (
	"context"
	"errors"

	"starling/embed"
	"starling/embed/remote"
)

// openRemote opens the server that name, a URL, stands for. Its errors do not
// show the URL, into which somebody may have typed a key.
func openRemote(ctx context.Context, name string, opts Options) (embed.Embedder, error) {
	if opts.Dtype != "" || opts.NoNormalize {
		return nil, errors.New("a model on a server has the server's dtype and vectors of length one: leave both out")
	}
	model, err := remote.Open(ctx, name, remote.Options{})
	if err != nil || opts.Prefix == "" {
		return model, err
	}
	return prefixed{model, opts.Prefix}, nil
}

// prefixed puts a prefix before every text.
type prefixed struct {
	*remote.Model
	prefix string
}

func (p prefixed) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	longer := make([]string, len(texts))
	for i, text := range texts {
		longer[i] = p.prefix + text
	}
	return p.Model.Embed(ctx, longer)
}

// Info counts the prefix into the fingerprint.
func (p prefixed) Info() embed.Info {
	info := p.Model.Info()
	info.Fingerprint += " prefix " + p.prefix
	return info
}
