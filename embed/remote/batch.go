package remote

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"net/http"

	"starling/backoff"
	"starling/embed"
)

const (
	// A value takes some 20 bytes of JSON, and a text's vector some more.
	maxValueBytes, maxVectorBytes = 40, 1 << 10
	// maxProbe bounds the first answer, when the length of a vector is not known.
	maxProbe = maxDim*maxValueBytes + maxVectorBytes
)

// requests yields where each request's texts begin and how many it has.
func (m *Model) requests(texts []string) iter.Seq2[int, int] {
	maxTexts := int(m.maxTexts.Load())
	return func(yield func(first, n int) bool) {
		for first := 0; first < len(texts); {
			n, size := 1, len(texts[first])
			for first+n < len(texts) && n < maxTexts && size+len(texts[first+n]) <= m.options.MaxBytes {
				size += len(texts[first+n])
				n++
			}
			if !yield(first, n) {
				return
			}
			first += n
		}
	}
}

// A refusedError says that the server did not take the texts together: one of
// them may be at fault, or how many they are.
type refusedError struct{ err error }

func (e *refusedError) Error() string { return e.err.Error() }
func (e *refusedError) Unwrap() error { return e.err }

// embed returns the rows of a request's texts. What the server refuses though
// it still takes the probe is halved.
func (m *Model) embed(ctx context.Context, texts []string) ([][]float32, error) {
	rows, err := m.rows(ctx, texts, m.options.Retry)
	var refused *refusedError
	if !errors.As(err, &refused) {
		return rows, err
	}
	if _, probe := m.ask(ctx, []string{probeText}, m.options.Retry); probe != nil {
		return nil, fmt.Errorf("%w; another text does no better: %w", err, probe)
	}
	rows, err = m.halve(ctx, texts, refused)
	if err == nil && refused.isOfSize() {
		// The halves went through: it was the size of the request.
		m.maxTexts.Store(int64(max(1, len(texts)/2)))
	}
	return rows, err
}

// halve is what to do with texts that were refused.
func (m *Model) halve(ctx context.Context, texts []string, refused *refusedError) ([][]float32, error) {
	if len(texts) == 1 {
		return nil, &embed.TextError{Err: refused.err}
	}
	middle := len(texts) / 2
	left, err := m.rowsOrHalve(ctx, texts[:middle])
	if err != nil {
		return nil, err
	}
	right, err := m.rowsOrHalve(ctx, texts[middle:])
	if err != nil {
		return nil, moved(err, middle)
	}
	return append(left, right...), nil
}

// rowsOrHalve does not wait long: the server is known to work.
func (m *Model) rowsOrHalve(ctx context.Context, texts []string) ([][]float32, error) {
	brief := m.options.Retry
	brief.Tries = 2
	rows, err := m.rows(ctx, texts, brief)
	var refused *refusedError
	if errors.As(err, &refused) {
		return m.halve(ctx, texts, refused)
	}
	return rows, err
}

// moved returns err with the index of a text moved by so many.
func moved(err error, by int) error {
	var bad *embed.TextError
	if errors.As(err, &bad) {
		return &embed.TextError{Index: bad.Index + by, Err: bad.Err}
	}
	return err
}

// rows asks for the vectors of texts and makes them rows of length one.
func (m *Model) rows(ctx context.Context, texts []string, p backoff.Policy) ([][]float32, error) {
	r, err := m.ask(ctx, texts, p)
	if err != nil {
		return nil, err
	}
	rows := make([][]float32, len(texts))
	for i, v := range r.vectors {
		if rows[i], err = v.unit(); err != nil {
			return nil, &embed.TextError{Index: i, Err: err}
		}
	}
	return rows, nil
}

// ask sends one request and checks that the reply is of the model that was
// opened.
func (m *Model) ask(ctx context.Context, texts []string, p backoff.Policy) (reply, error) {
	limit := int64(maxProbe)
	if m.dim > 0 {
		limit = int64(len(texts))*int64(m.dim*maxValueBytes+maxVectorBytes) + maxVectorBytes
	}
	answer, err := m.client.call(ctx, p, m.protocol.path(), m.protocol.request(texts), limit)
	if err != nil {
		return reply{}, blame(err)
	}
	r, err := m.protocol.parse(answer, len(texts))
	if err != nil {
		err = fmt.Errorf("asking %s%s: reading the answer: %w", m.address.base, m.protocol.path(), err)
		return reply{}, &refusedError{err}
	}
	return r, m.check(r)
}

// blame marks the errors for which a text may be at fault: some servers answer
// 500 to one that is too long, and text-embeddings-inference 424 to what its
// model fails at.
func blame(err error) error {
	var status *statusError
	if !errors.As(err, &status) {
		return err
	}
	switch status.status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity,
		http.StatusFailedDependency, http.StatusInternalServerError:
		return &refusedError{err}
	}
	return err
}

// isOfSize says whether the texts may have been refused for being too many.
func (e *refusedError) isOfSize() bool {
	var status *statusError
	return errors.As(e.err, &status) && status.status < http.StatusInternalServerError && status.status != http.StatusFailedDependency
}

// check compares a reply with what the server gave when it was opened.
func (m *Model) check(r reply) error {
	if m.dim == 0 {
		if n := len(r.vectors[0]); n == 0 || n > maxDim {
			return fmt.Errorf("the server gives vectors of %d values", n)
		}
		return nil
	}
	for _, v := range r.vectors {
		if len(v) != m.dim {
			return fmt.Errorf("the server gives vectors of %d values where it gave %d before: it has another model now", len(v), m.dim)
		}
	}
	if r.model != m.name {
		return fmt.Errorf("the server answers with the model %.100q where it was %.100q before", r.model, m.name)
	}
	return nil
}

// fingerprint covers the server, the model that is asked for, the one that
// answers and, as version, what else the server tells of it.
func (m *Model) fingerprint(version string) string {
	sum := sha256.New()
	fmt.Fprintf(sum, "remote 1\n%s\n%q\n%q\n%q\n%q\n%q\n%d\n",
		m.address.kind, m.address.base.Host, m.address.base.Path, m.address.model, m.name, version, m.dim)
	return hex.EncodeToString(sum.Sum(nil)[:16])
}
