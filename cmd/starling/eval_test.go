package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"starling"
	"starling/embed"
)

// A pickyModel has no vector for texts that begin with "bad", and fails
// altogether at the text "broken".
type pickyModel struct{}

func (pickyModel) Embed(_ context.Context, texts []string) ([][]float32, error) {
	vectors := make([][]float32, len(texts))
	for i, text := range texts {
		if text == "broken" {
			return nil, errors.New("out of order")
		}
		if strings.HasPrefix(text, "bad") {
			return nil, &embed.TextError{Index: i, Err: errors.New("it is bad")}
		}
		vectors[i] = []float32{float32(len(text))}
	}
	return vectors, nil
}

func (pickyModel) Dim() int         { return 1 }
func (pickyModel) Info() embed.Info { return embed.Info{Name: "picky"} }

func labelledTexts(texts ...string) []labelled {
	documents := make([]labelled, len(texts))
	for i, text := range texts {
		documents[i] = labelled{Document: starling.Document{Text: text}, line: int64(i + 1)}
	}
	return documents
}

func TestTextsWithoutAVectorArePutAside(t *testing.T) {
	var texts, good []string
	for i := range 5 * embeddedAtOnce {
		texts = append(texts, strings.Repeat("x", i))
		good = append(good, texts[i])
	}
	texts[3], texts[4], texts[100] = "bad", "bad too", "bad as well"
	good = slices.Delete(slices.Delete(good, 100, 101), 3, 5)
	var notes bytes.Buffer
	aside := &asides{input: "in", out: &notes}
	kept, vectors, err := embedAll(t.Context(), pickyModel{}, labelledTexts(texts...), aside)
	if err != nil || len(kept) != len(good) || len(vectors) != len(good) {
		t.Fatalf("%d kept with %d vectors of %d, %v", len(kept), len(vectors), len(good), err)
	}
	for i, d := range kept {
		if d.Text != good[i] || vectors[i][0] != float32(len(good[i])) {
			t.Errorf("document %d has %d letters and the vector of %v", i, len(d.Text), vectors[i])
		}
	}
	var want strings.Builder
	for _, line := range []int{4, 5, 101} {
		fmt.Fprintf(&want, "starling: in, line %d was put aside: it is bad\n", line)
	}
	if aside.count != 3 || notes.String() != want.String() {
		t.Errorf("%d put aside:\n%s", aside.count, notes.String())
	}
}

func TestOnlyTheFirstTextsPutAsideAreNamed(t *testing.T) {
	var notes bytes.Buffer
	aside := &asides{input: "in", out: &notes}
	texts := slices.Repeat([]string{"bad"}, namedAsides+2)
	if kept, _, err := embedAll(t.Context(), pickyModel{}, labelledTexts(texts...), aside); err != nil || len(kept) > 0 {
		t.Fatalf("%d kept, %v", len(kept), err)
	}
	aside.conclude()
	if lines := strings.Count(notes.String(), "\n"); lines != namedAsides+1 || !strings.HasSuffix(notes.String(), "2 more documents of in were put aside\n") {
		t.Errorf("got:\n%s", notes.String())
	}
}

func TestAModelThatFailsEndsTheReplay(t *testing.T) {
	_, _, err := embedAll(t.Context(), pickyModel{}, labelledTexts("good", "bad", "broken"), &asides{out: new(bytes.Buffer)})
	if err == nil || !strings.Contains(err.Error(), "with picky: out of order") {
		t.Errorf("got %v", err)
	}
}
