package transformer

import (
	"context"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"starling/embed"
)

const (
	// maxPartTokens is how many tokens go through the encoder together, give
	// or take a text: enough that a packed block of activations is full, and
	// little enough to bound the memory of a worker.
	maxPartTokens = 512
	// minPartTokens is what is worth a worker of its own.
	minPartTokens = 64
	// minRows is how many rows of one part are worth a worker of their own. It
	// reads all weights, too, to multiply them with fewer rows.
	minRows = 8
)

// A batch is texts on their way to embeddings.
type batch struct {
	ids     []int32 // of all texts, one after the other
	lengths []int   // tokens of each text
	rows    [][]float32
	parts   []part
	next    atomic.Int64 // part to take
}

// A part is a run of texts that go through the encoder together.
type part struct{ firstText, texts, firstToken, tokens int }

// split cuts the texts in parts of about the same number of tokens: as many as
// there are workers, or more where parts would be too large, or fewer where
// they would be too small.
func (b *batch) split(workers int) {
	tokens := len(b.ids)
	count := max(min(workers, tokens/minPartTokens), (tokens+maxPartTokens-1)/maxPartTokens, 1)
	b.parts = make([]part, 0, count)
	var p part
	for i, length := range b.lengths {
		p.texts++
		p.tokens += length
		// The part is full where the tokens so far are its share of all.
		if (p.firstToken+p.tokens)*count >= tokens*(len(b.parts)+1) {
			b.parts = append(b.parts, p)
			p = part{firstText: i + 1, firstToken: p.firstToken + p.tokens}
		}
	}
}

// run embeds all parts. It waits for one worker and takes others where they are
// idle: one for each part, or, where there is only one part, as many as have
// minRows of it to compute.
func (m *Model) run(ctx context.Context, b *batch) error {
	var t team
	select {
	case s := <-m.workers:
		t = append(t, s)
	case <-ctx.Done():
		return ctx.Err()
	}
	if len(b.parts) == 1 {
		t = m.enlarge(t, len(b.ids)/minRows)
		defer m.dismiss(t)
		return m.embedPart(b, b.parts[0], t)
	}
	t = m.enlarge(t, len(b.parts))
	working, ctx := errgroup.WithContext(ctx)
	for i := range t {
		working.Go(func() error {
			defer m.dismiss(t[i : i+1])
			return m.embedParts(ctx, b, t[i:i+1])
		})
	}
	return working.Wait()
}

// enlarge adds idle workers to a team of one until it is as large as wanted or
// all are busy.
func (m *Model) enlarge(t team, wanted int) team {
	for len(t) < wanted {
		select {
		case s := <-m.workers:
			t = append(t, s)
		default:
			return t
		}
	}
	return t
}

// dismiss lets the workers of a team go.
func (m *Model) dismiss(t team) {
	for _, s := range t {
		m.workers <- s
	}
}

// embedParts embeds parts until none is left.
func (m *Model) embedParts(ctx context.Context, b *batch, t team) error {
	for {
		i := int(b.next.Add(1)) - 1
		if i >= len(b.parts) {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := m.embedPart(b, b.parts[i], t); err != nil {
			return err
		}
	}
}

// embedPart sets the rows of a part's texts.
func (m *Model) embedPart(b *batch, p part, t team) error {
	lengths := b.lengths[p.firstText : p.firstText+p.texts]
	states, err := m.encoder.encode(b.ids[p.firstToken:p.firstToken+p.tokens], lengths, t)
	if err != nil {
		return err
	}
	for i, length := range lengths {
		row, err := m.finish(states[:length*m.encoder.dim])
		if err != nil {
			return &embed.TextError{Index: p.firstText + i, Err: err}
		}
		b.rows[p.firstText+i] = row
		states = states[length*m.encoder.dim:]
	}
	return nil
}
