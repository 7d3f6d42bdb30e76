//go:build !race

package wordpiece

import (
	"strings"
	"testing"
)

// The race detector makes a sync.Pool lose some of what it is given.

func TestEncodeDoesNotAllocate(t *testing.T) {
	tokenizer := small(t)
	ids := make([]int32, 0, 130)
	for why, text := range map[string]string{
		"ASCII":         strings.Repeat("the trains is LATE! [MASK] zzz ", 4),
		"Unicode":       strings.Repeat("Café 中文 “é” 한국어 \U0001d165\u302e😂 ", 4),
		"long":          strings.Repeat("the trains ", 1e5),
		"one long word": strings.Repeat("a", 1e6),
	} {
		if allocs := testing.AllocsPerRun(100, func() { ids = tokenizer.Encode(ids[:0], text, 128) }); allocs != 0 {
			t.Errorf("%s: %v allocations", why, allocs)
		}
	}
}
