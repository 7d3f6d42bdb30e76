package beam

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"

	sdk "github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph/mtime"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"starling"
	"starling/embed"
	"starling/embed/models"
	"starling/vec"
)

func init() {
	sdk.RegisterDoFn(reflect.TypeFor[tokenizeFn]())
	sdk.RegisterDoFn(reflect.TypeFor[embedFn]())
	sdk.RegisterDoFn(reflect.TypeFor[normalizeFn]())
	register.Emitter1[Embedded]()
	register.Emitter2[sdk.EventTime, Embedded]()
	register.Emitter2[sdk.EventTime, DeadLetter]()
}

// tokenizeFn counts the tokens of texts, by which the cost of a model goes, for the
// runner's pages. The model splits texts once more by itself, which costs a thousandth
// of what it does then, and ids of tokens would be longer than the text.
type tokenizeFn struct {
	Model     ModelSpec
	tokenizer models.Tokenizer
	tokens    sdk.Distribution
}

// Setup loads the model.
func (fn *tokenizeFn) Setup(ctx context.Context) error {
	model, err := fn.Model.open(ctx)
	if err != nil {
		return err
	}
	fn.tokenizer, _ = model.(models.Tokenizer) // servers tokenize for themselves
	fn.tokens = sdk.NewDistribution("starling", "tokens")
	return nil
}

// ProcessElement counts the tokens of a document.
func (fn *tokenizeFn) ProcessElement(ctx context.Context, d starling.Document) starling.Document {
	if fn.tokenizer != nil {
		fn.tokens.Update(ctx, int64(len(fn.tokenizer.Tokenize(d.Text))))
	}
	return d
}

// embedFn gives documents their vectors, as many of a bundle at a time as the model
// takes well.
type embedFn struct {
	Model ModelSpec
	// BatchSize is how many documents are embedded together.
	BatchSize int
	model     embed.Embedder
	waiting   []starling.Document
	refused   sdk.Counter
}

// Setup loads the model.
func (fn *embedFn) Setup(ctx context.Context) (err error) {
	fn.model, err = fn.Model.open(ctx)
	fn.refused = counterOf("dead_letters")
	return err
}

// StartBundle forgets what a bundle that failed left behind.
func (fn *embedFn) StartBundle(func(sdk.EventTime, Embedded), func(sdk.EventTime, DeadLetter)) {
	fn.waiting = fn.waiting[:0]
}

// ProcessElement takes a document.
func (fn *embedFn) ProcessElement(
	ctx context.Context, d starling.Document, emit func(sdk.EventTime, Embedded), refuse func(sdk.EventTime, DeadLetter),
) error {
	if fn.waiting = append(fn.waiting, d); len(fn.waiting) < fn.BatchSize {
		return nil
	}
	return fn.flush(ctx, emit, refuse)
}

// FinishBundle embeds what is left of the bundle.
func (fn *embedFn) FinishBundle(
	ctx context.Context, emit func(sdk.EventTime, Embedded), refuse func(sdk.EventTime, DeadLetter),
) error {
	return fn.flush(ctx, emit, refuse)
}

// flush embeds what is waiting. A text that has no vector becomes a dead letter, and
// the others are tried again.
func (fn *embedFn) flush(ctx context.Context, emit func(sdk.EventTime, Embedded), refuse func(sdk.EventTime, DeadLetter)) error {
	for len(fn.waiting) > 0 {
		texts := make([]string, len(fn.waiting))
		for i, d := range fn.waiting {
			texts[i] = d.Text
		}
		vectors, err := fn.model.Embed(ctx, texts)
		var bad *embed.TextError
		if errors.As(err, &bad) {
			d := fn.waiting[bad.Index]
			fn.refused.Inc(ctx, 1)
			refuse(eventTime(d), letter(d, bad.Err))
			fn.waiting = slices.Delete(fn.waiting, bad.Index, bad.Index+1)
			continue
		}
		if err != nil {
			return fmt.Errorf("embedding %d texts with %s: %w", len(texts), fn.Model.Name, err)
		}
		for i, d := range fn.waiting {
			emit(eventTime(d), Embedded{Document: d, Vector: vectors[i]})
		}
		fn.waiting = fn.waiting[:0]
	}
	return nil
}

// eventTime is when a document was published, as Beam has it.
func eventTime(d starling.Document) sdk.EventTime {
	if d.Time.IsZero() {
		return mtime.ZeroTimestamp
	}
	return mtime.FromTime(d.Time)
}

// normalizeFn makes sure that vectors have length one, as those of the models here do,
// and rounds them to half precision as the runtime of one machine does.
type normalizeFn struct{}

// nearOne is how far the square of a length may be from one.
const nearOne = 1e-3

// ProcessElement normalises one vector.
func (fn *normalizeFn) ProcessElement(e Embedded, emit func(Embedded), refuse func(DeadLetter)) {
	square := float64(vec.Dot(e.Vector, e.Vector))
	switch {
	case !(square > 0) || math.IsInf(square, 0):
		refuse(letter(e.Document, errors.New("its vector is zero or not finite")))
		return
	case math.Abs(square-1) > nearOne:
		scale := float32(1 / math.Sqrt(square))
		for i := range e.Vector {
			e.Vector[i] *= scale
		}
	}
	vec.RoundHalf(e.Vector)
	emit(e)
}
