package wordpiece

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"
	"unicode/utf8"

	"starling/embed/internal/jsonfile"
)

// crateGolden is what testdata/crate_golden.js got from the Rust crate.
type crateGolden struct {
	// Kinds and CodePoints are the SHA-256 of what becomes of every code point.
	Kinds       string `json:"kinds"`
	Normalizers []struct {
		Clean      bool        `json:"clean_text"`
		Ideographs bool        `json:"handle_chinese_chars"`
		Accents    bool        `json:"strip_accents"`
		Lower      bool        `json:"lowercase"`
		CodePoints string      `json:"code_points"`
		Texts      [][2]string `json:"texts"`
	} `json:"normalizers"`
	Tokenizers []struct {
		Tokenizer json.RawMessage `json:"tokenizer"`
		Texts     []struct {
			Text string  `json:"text"`
			IDs  []int32 `json:"ids"`
		} `json:"texts"`
	} `json:"tokenizers"`
}

func readCrateGolden(tb testing.TB) (golden crateGolden) {
	tb.Helper()
	data, err := os.ReadFile("testdata/crate_golden.json")
	if err != nil {
		tb.Fatal(err)
	}
	if err := json.Unmarshal(data, &golden); err != nil {
		tb.Fatal(err)
	}
	return golden
}

// digest returns the SHA-256 of what become appends for every code point.
func digest(become func(dst []byte, r rune) []byte) string {
	hash := sha256.New()
	var buffer []byte
	for r := rune(0); r <= utf8.MaxRune; r++ {
		assigned := r < 0x40000 || 0xe0000 <= r && r < 0xe1000 || r >= 0x10f000 // or private
		if assigned && utf8.ValidRune(r) {
			buffer = append(become(buffer[:0], r), '\n')
			hash.Write(buffer)
		}
	}
	return hex.EncodeToString(hash.Sum(nil))
}

func TestNormaliserIsTheCrates(t *testing.T) {
	for _, golden := range readCrateGolden(t).Normalizers {
		n := newNormaliser(steps{golden.Clean, golden.Ideographs, golden.Accents, golden.Lower})
		got := digest(func(dst []byte, r rune) []byte {
			dst, _ = n.append(dst, string(r), math.MaxInt)
			return dst
		})
		if got != golden.CodePoints {
			t.Errorf("%+v: not every code point becomes the same", n.steps)
		}
		for _, text := range golden.Texts {
			if got, _ := n.append(nil, text[0], math.MaxInt); string(got) != text[1] {
				t.Errorf("%+v: %+q becomes %+q, want %+q", n.steps, text[0], got, text[1])
			}
		}
	}
}

func TestPreTokenizerIsTheCrates(t *testing.T) {
	names := map[kind]string{inWord: "inWord", space: "space", punctuation: "punctuation"}
	got := digest(func(dst []byte, r rune) []byte {
		kind, _ := kindOf(utf8.AppendRune(nil, r))
		return append(dst, names[kind]...)
	})
	if got != readCrateGolden(t).Kinds {
		t.Error("not every code point has the same kind")
	}
}

func TestTokenizersAreTheCrates(t *testing.T) {
	for i, golden := range readCrateGolden(t).Tokenizers {
		tokenizer := parse(t, golden.Tokenizer)
		for _, text := range golden.Texts {
			if got := tokenizer.Encode(nil, text.Text, math.MaxInt); !slices.Equal(got, text.IDs) {
				t.Errorf("tokenizer %d: %+q has the ids %v, want %v", i, text.Text, got, text.IDs)
			}
		}
	}
}

// parse returns the tokenizer that a tokenizer.json describes.
func parse(tb testing.TB, data []byte) *Tokenizer {
	tb.Helper()
	object, err := jsonfile.Parse(data)
	if err != nil {
		tb.Fatal(err)
	}
	d, err := parseTokenizer(object)
	if err != nil {
		tb.Fatal(err)
	}
	tokenizer, err := d.tokenizer()
	if err != nil {
		tb.Fatal(err)
	}
	return tokenizer
}
