package wordpiece_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"starling/embed/wordpiece"
)

// shared has what programs of others made; see FORMAT.md in its folder oracle.
const shared = "../../../shared"

// needShared skips a test where a part of shared is missing.
func needShared(tb testing.TB, name string) string {
	tb.Helper()
	path := filepath.Join(shared, name)
	if _, err := os.Stat(path); err != nil {
		tb.Skipf("%s is missing: %v", path, err)
	}
	return path
}

func readJSON(tb testing.TB, path string, to any) {
	tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	if err := json.Unmarshal(data, to); err != nil {
		tb.Fatalf("%s: %v", path, err)
	}
}

func load(tb testing.TB, dir string) *wordpiece.Tokenizer {
	tb.Helper()
	t, err := wordpiece.Load(dir)
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

// withoutTokenizerJSON returns a folder with the other files of dir.
func withoutTokenizerJSON(tb testing.TB, dir string) string {
	tb.Helper()
	to := tb.TempDir()
	for _, name := range []string{"vocab.txt", "tokenizer_config.json", "special_tokens_map.json"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, name), data, 0o666); err != nil {
			tb.Fatal(err)
		}
	}
	return to
}

// bothWays runs test with the tokenizer of a folder loaded from tokenizer.json
// and from vocab.txt.
func bothWays(t *testing.T, dir string, test func(*testing.T, *wordpiece.Tokenizer)) {
	t.Run("tokenizer.json", func(t *testing.T) { test(t, load(t, dir)) })
	t.Run("vocab.txt", func(t *testing.T) { test(t, load(t, withoutTokenizerJSON(t, dir))) })
}

func TestOracle(t *testing.T) {
	folders, err := filepath.Glob(filepath.Join(needShared(t, "oracle"), "*", "golden.json"))
	if err != nil || len(folders) == 0 {
		t.Fatalf("no golden.json: %v", err)
	}
	for _, path := range folders {
		dir := filepath.Dir(path)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			bothWays(t, dir, func(t *testing.T, tokenizer *wordpiece.Tokenizer) { checkGolden(t, tokenizer, path) })
		})
	}
}

func checkGolden(t *testing.T, tokenizer *wordpiece.Tokenizer, path string) {
	var golden struct {
		MaxSeqLength int `json:"max_seq_length"`
		Texts        []struct {
			Text              string  `json:"text"`
			InputIDs          []int32 `json:"input_ids"`
			UntruncatedLength int     `json:"untruncated_length"`
		} `json:"texts"`
		Disagreements []struct {
			Text string  `json:"text"`
			Rust []int32 `json:"rust_tokenizers"`
		} `json:"tokenizer_disagreements"`
	}
	readJSON(t, path, &golden)
	for _, text := range golden.Texts {
		if got := tokenizer.Encode(nil, text.Text, golden.MaxSeqLength); !slices.Equal(got, text.InputIDs) {
			t.Errorf("%q: ids %v, want %v", text.Text, got, text.InputIDs)
		}
		if got := len(tokenizer.Encode(nil, text.Text, math.MaxInt)); got != text.UntruncatedLength {
			t.Errorf("%q: %d ids untruncated, want %d", text.Text, got, text.UntruncatedLength)
		}
	}
	for _, text := range golden.Disagreements {
		if got := tokenizer.Encode(nil, text.Text, golden.MaxSeqLength); !slices.Equal(got, text.Rust) {
			t.Errorf("%q: ids %v, want the Rust crate's %v", text.Text, got, text.Rust)
		}
	}
}

func TestBertBaseUncased(t *testing.T) {
	path := filepath.Join(needShared(t, "oracle"), "tokens-bert-base-uncased.json")
	dir := needShared(t, "tokenizer")
	var golden struct {
		VocabSHA256 string `json:"vocab_sha256"`
		VocabSize   int    `json:"vocab_size"`
		Texts       []struct {
			Text     string  `json:"text"`
			InputIDs []int32 `json:"input_ids"`
		} `json:"texts"`
	}
	readJSON(t, path, &golden)
	vocab, err := os.ReadFile(filepath.Join(dir, "vocab.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(vocab); hex.EncodeToString(sum[:]) != golden.VocabSHA256 {
		t.Fatalf("vocab.txt has the SHA-256 %x, want %s", sum, golden.VocabSHA256)
	}
	bothWays(t, dir, func(t *testing.T, tokenizer *wordpiece.Tokenizer) {
		if got := tokenizer.VocabSize(); got != golden.VocabSize {
			t.Errorf("%d tokens, want %d", got, golden.VocabSize)
		}
		for _, text := range golden.Texts {
			if got := tokenizer.Encode(nil, text.Text, math.MaxInt); !slices.Equal(got, text.InputIDs) {
				t.Errorf("%q: ids %v, want %v", text.Text, got, text.InputIDs)
			}
		}
	})
}

func TestLlamaCppTexts(t *testing.T) {
	dir := needShared(t, "tokenizer")
	var golden []struct {
		Text string  `json:"text"`
		IDs  []int32 `json:"ids"`
	}
	readJSON(t, filepath.Join(dir, "golden.json"), &golden)
	if len(golden) != 46 {
		t.Errorf("%d texts, want 46", len(golden))
	}
	bothWays(t, dir, func(t *testing.T, tokenizer *wordpiece.Tokenizer) {
		for _, text := range golden {
			if got := tokenizer.Tokenize(nil, text.Text, math.MaxInt); !slices.Equal(got, text.IDs) {
				t.Errorf("%q: ids %v, want %v", text.Text, got, text.IDs)
			}
		}
	})
}
