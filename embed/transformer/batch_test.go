package transformer

import (
	"testing"

	"pgregory.net/rapid"
)

func TestPartsAreRunsOfTextsOfAboutOneSize(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := &batch{lengths: rapid.SliceOfN(rapid.IntRange(1, maxPartTokens), 1, 200).Draw(t, "lengths")}
		workers := rapid.IntRange(1, 16).Draw(t, "workers")
		longest := 0
		for _, n := range b.lengths {
			b.ids = append(b.ids, make([]int32, n)...)
			longest = max(longest, n)
		}
		b.split(workers)
		text, token := 0, 0
		for _, p := range b.parts {
			if p.firstText != text || p.firstToken != token || p.texts < 1 {
				t.Fatalf("part %+v does not begin at text %d, token %d", p, text, token)
			}
			tokens := 0
			for _, n := range b.lengths[text : text+p.texts] {
				tokens += n
			}
			if tokens != p.tokens || tokens > maxPartTokens+longest {
				t.Fatalf("part %+v has %d tokens", p, tokens)
			}
			text, token = text+p.texts, token+tokens
		}
		if text != len(b.lengths) {
			t.Fatalf("the parts have %d of %d texts", text, len(b.lengths))
		}
	})
}

func TestEqualTextsAreSharedOutEqually(t *testing.T) {
	b := &batch{ids: make([]int32, 32*24)}
	for range 32 {
		b.lengths = append(b.lengths, 24)
	}
	b.split(2)
	if len(b.parts) != 2 || b.parts[0].texts != 16 {
		t.Errorf("32 texts for two workers make the parts %+v", b.parts)
	}
}

func TestFewTokensAreOnePart(t *testing.T) {
	b := &batch{ids: make([]int32, 48), lengths: []int{24, 24}}
	b.split(16)
	if len(b.parts) != 1 {
		t.Errorf("48 tokens make the parts %+v", b.parts)
	}
}
