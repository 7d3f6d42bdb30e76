package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"starling/embed/transformer"
)

// A contender is an encoder at one setting.
type contender struct {
	name    string // its row in the table
	setting string
	only    int // the only size of batches that it takes; 0 for any
	// atLeast is the cosine that its first embedding must have with that of
	// the first contender.
	atLeast float64
	// embed embeds all texts and returns how long that took, and the embedding
	// of the first.
	embed func(ctx context.Context, texts []text, batch int) (time.Duration, []float32, error)
}

// dtypes are the number formats of ours, the reference first, with the cosine
// that each must reach.
var dtypes = []struct {
	name    string
	atLeast float64
}{{"f32", 0.99999}, {"bf16", 0.9995}, {"int8", 0.995}}

func openOurs(folder string) (map[string]*transformer.Model, error) {
	models := map[string]*transformer.Model{}
	for _, dtype := range dtypes {
		model, err := transformer.Open(folder, transformer.Options{DType: dtype.name})
		if err != nil {
			return nil, err
		}
		models[dtype.name] = model
	}
	return models, nil
}

// contenders returns ours at each setting.
func contenders(models map[string]*transformer.Model) []contender {
	var all []contender
	for _, dtype := range dtypes {
		for _, callers := range []int{1, runtime.NumCPU()} {
			all = append(all, contender{
				name:    "Starling " + dtype.name,
				setting: fmt.Sprintf("%d callers", callers),
				atLeast: dtype.atLeast,
				embed:   embedWith(models[dtype.name], callers),
			})
		}
	}
	return all
}

// embedWith embeds with some callers at once, each of which takes the next
// batch. Tokenizing is part of it.
func embedWith(model *transformer.Model, callers int) func(context.Context, []text, int) (time.Duration, []float32, error) {
	return func(ctx context.Context, texts []text, batch int) (time.Duration, []float32, error) {
		plain := make([]string, len(texts))
		for i, t := range texts {
			plain[i] = t.text
		}
		var first []float32
		var next atomic.Int64
		working, ctx := errgroup.WithContext(ctx)
		started := time.Now()
		for range callers {
			working.Go(func() error {
				for {
					at := int(next.Add(1)-1) * batch
					if at >= len(plain) {
						return nil
					}
					rows, err := model.Embed(ctx, plain[at:min(at+batch, len(plain))])
					if err != nil {
						return err
					}
					if at == 0 {
						first = rows[0]
					}
				}
			})
		}
		err := working.Wait()
		return time.Since(started), first, err
	}
}

// agree makes sure that all do the same work.
func agree(ctx context.Context, mix mix, lane []contender) error {
	var reference []float32
	for _, c := range lane {
		_, first, err := c.embed(ctx, mix.texts[:2], 1)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		if reference == nil {
			reference = first
		}
		similarity, err := cosine(reference, first)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		if similarity < c.atLeast {
			return fmt.Errorf("%s: its embedding has cosine %.6f with the first contender's, not %v", c.name, similarity, c.atLeast)
		}
	}
	return nil
}

func cosine(a, b []float32) (float64, error) {
	if len(a) != len(b) {
		return 0, errors.New("another number of dimensions")
	}
	var ab, aa, bb float64
	for i := range a {
		ab += float64(a[i]) * float64(b[i])
		aa += float64(a[i]) * float64(a[i])
		bb += float64(b[i]) * float64(b[i])
	}
	return ab / math.Sqrt(aa*bb), nil
}
