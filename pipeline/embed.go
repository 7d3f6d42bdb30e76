package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"starling"
	"starling/cluster"
	"starling/embed"
	"starling/vec"
)

// embed is one worker: it gives batches their documents and vectors.
func (p *Pipeline) embed(ctx context.Context) error {
	for b := range p.unembedded {
		started := time.Now()
		b.decode(p.Decoder)
		p.meter.worked(&p.meter.stats.Decode, len(b.arrived), started)
		started = time.Now()
		if err := b.embed(ctx, p.Model); err != nil {
			return err
		}
		p.meter.worked(&p.meter.stats.Embed, len(b.documents), started)
		close(b.embedded)
	}
	return nil
}

// embed gives the batch its vectors. Texts without one are refused and the
// others tried again.
func (b *batch) embed(ctx context.Context, model embed.Embedder) error {
	for len(b.documents) > 0 {
		vectors, err := model.Embed(ctx, texts(b.documents))
		if err == nil {
			for _, v := range vectors {
				vec.RoundHalf(v) // so that the state holds all of it in half the room
			}
			b.vectors = vectors
			for _, d := range b.documents {
				b.terms = append(b.terms, cluster.Terms(d.Text))
			}
			return nil
		}
		var bad *embed.TextError
		if !errors.As(err, &bad) {
			return fmt.Errorf("embedding %d texts with %s: %w", len(b.documents), model.Info().Name, err)
		}
		b.refuse(b.messages[bad.Index], b.documents[bad.Index], bad.Err)
		b.documents = slices.Delete(b.documents, bad.Index, bad.Index+1)
		b.messages = slices.Delete(b.messages, bad.Index, bad.Index+1)
	}
	return nil
}

func texts(documents []starling.Document) []string {
	texts := make([]string, len(documents))
	for i, d := range documents {
		texts[i] = d.Text
	}
	return texts
}
