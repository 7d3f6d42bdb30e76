// Package remote lets a server embed the texts: one with the OpenAI-compatible
// /v1/embeddings (OpenAI, vLLM, llama.cpp, Ollama and others), or Hugging
// Face's text-embeddings-inference.
//
//	model, err := remote.Open(ctx, "tei+http://gpu:8080", remote.Options{})
//	vectors, err := model.Embed(ctx, []string{"the train is late again"})
//
// The server is named by a URL:
//
//	openai+https://HOST/v1?model=NAME    POST /v1/embeddings
//	openai+http://HOST:PORT/v1?model=NAME
//	tei+https://HOST                     POST /embed, GET /info
//	tei+http://HOST:PORT
//
// A key is never in the URL. It is in the variable STARLING_REMOTE_KEY, or, for
// openai, in OPENAI_API_KEY, which is sent with encryption or to this machine
// only.
//
// A request that fails for a passing reason (the connection, 429, 5xx) is tried
// again. If the server refuses a request with several texts, halves of it are
// tried, so that only the text which it cannot take has no vector.
//
// Whether the vector of a text depends on the texts beside it is up to the
// server: the padding of a batch moves the last bits with most.
package remote

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"starling/backoff"
	"starling/embed"
)

// Options bound what is asked of a server. A field that is zero has its
// default.
type Options struct {
	// MaxTexts and MaxBytes bound the texts of a request: 32 and 512 KiB unless
	// set. A text that is longer goes alone. A server may allow fewer.
	MaxTexts, MaxBytes int
	// Concurrency is how many requests are under way at once, for all callers
	// together: 4 unless set.
	Concurrency int
	// Timeout bounds a request, and Deadline a call of Embed with all its
	// requests and waits: one minute and five unless set.
	Timeout, Deadline time.Duration
	// Retry says how a request is tried again.
	Retry backoff.Policy
	// Client sends the requests; nil is one of the model's own. Redirects are
	// not followed.
	Client *http.Client
}

func (o Options) withDefaults() Options {
	o.MaxTexts = cmp.Or(o.MaxTexts, 32)
	o.MaxBytes = cmp.Or(o.MaxBytes, 512<<10)
	o.Concurrency = cmp.Or(o.Concurrency, 4)
	o.Timeout = cmp.Or(o.Timeout, time.Minute)
	o.Deadline = cmp.Or(o.Deadline, 5*time.Minute)
	return o
}

func (o Options) check() error {
	if o.MaxTexts < 0 || o.MaxBytes < 0 || o.Concurrency < 0 || o.Timeout < 0 || o.Deadline < 0 {
		return errors.New("a remote model's option is below 0")
	}
	return nil
}

// ErrBlank says that a text has nothing but white space, which servers refuse.
var ErrBlank = errors.New("text is blank")

// probeText is embedded to learn what the server gives, and to tell a server
// that is broken from a text that it cannot take.
const probeText = "starling"

// A Model is a model on a server. It is safe for use by several goroutines.
type Model struct {
	options  Options
	address  address
	protocol protocol
	client   *client
	// name is what the server calls the model, if it does. Set by Open.
	name string
	// dim is the length of a vector; 0 until Open knows it.
	dim  int
	info embed.Info
	// maxTexts is how many texts the server takes at once, as far as is known.
	maxTexts atomic.Int64
}

var _ embed.Embedder = (*Model)(nil)

// Is says whether a model's name is a URL, and so for [Open].
func Is(name string) bool { return strings.Contains(name, "://") }

// Open asks the server what it serves and embeds a text to learn the length of
// a vector. An error never shows a key, nor a URL that was refused.
func Open(ctx context.Context, name string, o Options) (*Model, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	a, err := parseAddress(name)
	if err != nil {
		return nil, err
	}
	key, err := a.key()
	if err != nil {
		return nil, err
	}
	o = o.withDefaults()
	m := &Model{options: o, address: a, client: newClient(a, key, o)}
	m.maxTexts.Store(int64(o.MaxTexts))
	if err := m.learn(ctx); err != nil {
		m.Close()
		return nil, fmt.Errorf("opening model %s: %w", a, err)
	}
	return m, nil
}

// learn finds out what the server serves.
func (m *Model) learn(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, m.options.Deadline)
	defer cancel()
	var version string
	var err error
	if m.address.kind == tei {
		version, err = m.learnTEI(ctx)
	} else {
		m.protocol = openAI{model: m.address.model}
	}
	if err != nil {
		return err
	}
	r, err := m.ask(ctx, []string{probeText}, m.options.Retry)
	if err != nil {
		return err
	}
	m.dim, m.name = len(r.vectors[0]), r.model
	m.info = embed.Info{
		Name:        m.address.String(),
		Fingerprint: m.fingerprint(version),
		Dim:         m.dim,
		Description: fmt.Sprintf("%s on the server %s.", cmp.Or(version, m.name, m.address.model), m.address.base.Host),
		// SPDX's word for a licence that nobody stated.
		Licence: "NOASSERTION",
	}
	return nil
}

// Close ends idle connections. The model must not be used any more.
func (m *Model) Close() { m.client.closeIdle() }

// Dim implements [embed.Embedder].
func (m *Model) Dim() int { return m.dim }

// Info implements [embed.Embedder].
func (m *Model) Info() embed.Info { return m.info }

// Embed implements [embed.Embedder]. A text that is blank, that the server
// refuses though it takes others, or whose vector has no direction is an
// [embed.TextError].
func (m *Model) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	for i, text := range texts {
		if strings.TrimSpace(text) == "" {
			return nil, &embed.TextError{Index: i, Err: ErrBlank}
		}
	}
	ctx, cancel := context.WithTimeout(ctx, m.options.Deadline)
	defer cancel()
	rows := make([][]float32, len(texts))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(m.options.Concurrency)
	for first, n := range m.requests(texts) {
		group.Go(func() error {
			part, err := m.embed(ctx, texts[first:first+n])
			copy(rows[first:], part)
			return moved(err, first)
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return rows, nil
}
