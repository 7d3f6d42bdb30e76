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

// run embeds all parts. It waits for one worker and takes others, up to one for
// each part, where they are idle.
func (m *Model) run(ctx context.Context, b *batch) error {
	var s *scratch
	select {
	case s = <-m.workers:
	case <-ctx.Done():
		return ctx.Err()
	}
	working, ctx := errgroup.WithContext(ctx)
	for range b.parts {
		own := s
		working.Go(func() error { return m.work(ctx, b, own) })
		if s = m.idleWorker(); s == nil {
			break
		}
	}
	if s != nil {
		m.workers <- s
	}
	return working.Wait()
}

// idleWorker returns a worker's scratch, or nil where all are busy.
func (m *Model) idleWorker() *scratch {
	select {
	case s := <-m.workers:
		return s
	default:
		return nil
	}
}

// work embeds parts until none is left, and hands the scratch back.
func (m *Model) work(ctx context.Context, b *batch, s *scratch) error {
	defer func() { m.workers <- s }()
	for {
		i := int(b.next.Add(1)) - 1
		if i >= len(b.parts) {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := m.embedPart(b, b.parts[i], s); err != nil {
			return err
		}
	}
}

func (m *Model) embedPart(b *batch, p part, s *scratch) error {
	lengths := b.lengths[p.firstText : p.firstText+p.texts]
	if err := m.encoder.encode(b.ids[p.firstToken:p.firstToken+p.tokens], lengths, s); err != nil {
		return err
	}
	states := s.states
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
