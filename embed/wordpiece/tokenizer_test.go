package wordpiece

import (
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

func TestTokens(t *testing.T) {
	uncased := small(t)
	for _, test := range []struct{ why, text, want string }{
		{"nothing", "", ""},
		{"white space", " \t\r\n\u00a0\u3000 ", ""},
		{"words", "the train is late", "the train is late"},
		{"pieces, the longest first", "abcab trains unbelievable", "abc ##a ##b train ##s un ##believ ##able"},
		{"a word that cannot be covered", "the traintrack is late", "the [UNK] is late"},
		{"upper case", "The TRAIN", "the train"},
		{"punctuation", "late!!, the-train.", "late ! ! , the - train ."},
		{"symbols of ASCII are punctuation", "a^a", "a [UNK] a"},
		{"others are not", "½1 1½", "½ ##1 [UNK]"},
		{"accents", "café cafe\u0301 CAFÉ", "cafe cafe cafe"},
		{"ideographs", "a中文b", "a 中 文 b"},
		{"control and format characters", "a\x00b\u200bc\x7f \ufefflate\ufffd", "abc late"},
		{"every sigma is a plain one", "Σ ΣΣ", "σ [UNK]"},
		{"100 characters", strings.Repeat("1", 100), "1" + strings.Repeat(" ##1", 99)},
		{"101 characters", strings.Repeat("1", 101), "[UNK]"},
		{"special tokens", "a [MASK]b[SEP] [PAD]", "a [MASK] b [SEP] [PAD]"},
		{"no special tokens", "[mask] [ SEP]", "[ mask ] [ sep ]"},
	} {
		want := strings.Join(strings.Fields("[CLS] "+test.want+" [SEP]"), " ")
		if got := tokens(uncased, test.text); got != want {
			t.Errorf("%s: %q has the tokens %s, want %s", test.why, test.text, got, want)
		}
	}
}

func TestNormaliserSettings(t *testing.T) {
	for _, test := range []struct {
		why, text, want string
		settings        []func(section)
	}{
		{"cased", "The TRAIN café", "[UNK] [UNK] café", []func(section){set("normalizer/lowercase", false)}},
		{"cased without accents", "T café", "T cafe", []func(section){set("normalizer/lowercase", false), set("normalizer/strip_accents", true)}},
		{"lower case with accents", "CAFÉ", "café", []func(section){set("normalizer/strip_accents", false)}},
		{"a dotted capital I with its dot", "İ", "i ##̇", []func(section){set("normalizer/strip_accents", false)}},
		{"ideographs in one word", "中文", "[UNK]", []func(section){set("normalizer/handle_chinese_chars", false)}},
		{"not cleaned", "a\u200bb late\tlate", "[UNK] late late", []func(section){set("normalizer/clean_text", false)}},
	} {
		if got, want := tokens(small(t, test.settings...), test.text), "[CLS] "+test.want+" [SEP]"; got != want {
			t.Errorf("%s: %q has the tokens %s, want %s", test.why, test.text, got, want)
		}
	}
}

func TestModelSettings(t *testing.T) {
	for _, test := range []struct {
		why, text, want string
		setting         func(section)
	}{
		{"shorter words", "abc abcab", "abc [UNK]", set("model/max_input_chars_per_word", 3)},
		{"characters are counted, not bytes", "½11 ½111", "½ ##1 ##1 [UNK]", set("model/max_input_chars_per_word", 3)},
		{"no continuation prefix", "abtrain", "ab train", set("model/continuing_subword_prefix", "")},
		{"a prefix that no token has", "abc abtrain", "abc [UNK]", set("model/continuing_subword_prefix", "@@")},
		{"another unknown token", "zzz", "[MASK]", set("model/unk_token", "[MASK]")},
		{"no type", "trains", "train ##s", set("model/type", removed)},
	} {
		if got, want := tokens(small(t, test.setting), test.text), "[CLS] "+test.want+" [SEP]"; got != want {
			t.Errorf("%s: %q has the tokens %s, want %s", test.why, test.text, got, want)
		}
	}
}

func TestAddedTokens(t *testing.T) {
	for _, test := range []struct {
		why, text, want string
		added           []func(section)
	}{
		{"within words", "abtrainab", "ab train ab", []func(section){addToken("train")}},
		{"the longest", "<a><a><b>", "<a> <a><b>", []func(section){addToken("<a>"), addToken("<a><b>")}},
		{"the leftmost", "xyz", "xy [UNK]", []func(section){addToken("yz"), addToken("xy")}},
		{"as spelt", "<A> <a>", "[UNK] a [UNK] <a>", []func(section){addToken("<a>")}},
		{"normalised", "<É> <e>", "<é> <é>", []func(section){addToken("<é>", normalisedField)}},
		{"single words", "<w>a a<w> <w>, <w>", "[UNK] [UNK] [UNK] a a [UNK] [UNK] [UNK] <w> , <w>", []func(section){addToken("<w>", "single_word")}},
		{"white space on the right is taken", "<r>  x y", "<r> [UNK] [UNK]", []func(section){addToken("<r>", "rstrip"), addToken(" x", normalisedField)}},
		{"white space on the left is taken", "y <l>", "[UNK] <l>", []func(section){addToken("<l>", "lstrip"), addToken("y ", normalisedField)}},
		{"white space is left", "y <l>", "y  <l>", []func(section){addToken("<l>"), addToken("y ", normalisedField)}},
	} {
		if got, want := tokens(small(t, test.added...), test.text), "[CLS] "+test.want+" [SEP]"; got != want {
			t.Errorf("%s: %q has the tokens %s, want %s", test.why, test.text, got, want)
		}
	}
}

func TestPostProcessors(t *testing.T) {
	for _, test := range []struct {
		why, want string
		processor any
	}{
		{"none", "a", nil},
		{"BertProcessing", "[MASK] a [PAD]", section{"type": "BertProcessing", "cls": []any{"[MASK]", 4}, "sep": []any{"[PAD]", 0}}},
		{"a template", "[MASK] [PAD] a", section{
			"type":           "TemplateProcessing",
			"single":         []any{special("two"), sequence("A")},
			"special_tokens": section{"two": section{"id": "two", "ids": []int{4, 0}, "tokens": []string{"[MASK]", "[PAD]"}}},
		}},
	} {
		if got := tokens(small(t, set("post_processor", test.processor)), "a"); got != test.want {
			t.Errorf("%s: tokens %s, want %s", test.why, got, test.want)
		}
	}
}

func TestIDsHaveTokens(t *testing.T) {
	tokenizer := small(t, addToken("new"))
	if got, want := tokenizer.VocabSize(), len(smallVocab)+1; got != want {
		t.Errorf("%d tokens, want %d", got, want)
	}
	for id, want := range map[int32]string{0: "[PAD]", 5: "a", int32(len(smallVocab)): "new", int32(len(smallVocab)) + 1: "", -1: ""} {
		if got := tokenizer.Token(id); got != want {
			t.Errorf("token %d is %q, want %q", id, got, want)
		}
	}
}

func TestEncodeAppends(t *testing.T) {
	if got, want := small(t).Encode([]int32{42}, "a b", 3), []int32{42, 2, 5, 3}; !slices.Equal(got, want) {
		t.Errorf("ids %v, want %v", got, want)
	}
}

func TestSpecialTokensAreNeverLeftOut(t *testing.T) {
	tokenizer := small(t)
	for _, most := range []int{math.MinInt, -1, 0, 1, 2} {
		if got := tokenizer.Encode(nil, "a b c", most); !slices.Equal(got, []int32{2, 3}) {
			t.Errorf("at most %d tokens: ids %v, want those of [CLS] and [SEP]", most, got)
		}
		if got := tokenizer.Tokenize(nil, "a b c", min(most, 0)); len(got) != 0 {
			t.Errorf("at most %d tokens: ids %v without special tokens", min(most, 0), got)
		}
	}
}

// anyText draws texts that are made of what matters to a tokenizer.
func anyText() *rapid.Generator[string] {
	parts := append([]string{
		" ", " ", "\t", "\x00", "\u200d", "é", "e\u0301", "Σ", "İ", "한", "\ufffd", "\xff", "\xe4\xb8", "\U0001d165", "\u302e", "\u034f",
		"[MASK]", "[ma", "sk]", "<n>", strings.Repeat("1", 99), strings.Repeat("ab", 700), strings.Repeat("x", 3000),
	}, smallVocab...)
	word := rapid.OneOf(rapid.SampledFrom(parts), rapid.String())
	return rapid.Map(rapid.SliceOfN(word, 0, 40), func(words []string) string { return strings.Join(words, "") })
}

// variants are tokenizers that read texts in different ways.
func variants(tb testing.TB) []*Tokenizer {
	return []*Tokenizer{
		small(tb),
		small(tb, set("normalizer/lowercase", false)),
		small(tb, set("normalizer/clean_text", false), set("normalizer/strip_accents", false)),
		small(tb, addToken("<n>", normalisedField, "lstrip", "rstrip"), addToken("é", "single_word")),
	}
}

func TestTruncationIsAPrefix(t *testing.T) {
	all := variants(t)
	rapid.Check(t, func(t *rapid.T) {
		tokenizer := rapid.SampledFrom(all).Draw(t, "tokenizer")
		text := anyText().Draw(t, "text")
		whole := tokenizer.Tokenize(nil, text, math.MaxInt)
		most := rapid.IntRange(0, len(whole)+2).Draw(t, "most")
		if got, want := tokenizer.Tokenize(nil, text, most), whole[:min(most, len(whole))]; !slices.Equal(got, want) {
			t.Fatalf("%d tokens are %v, want %v", most, got, want)
		}
		want := slices.Concat([]int32{2}, whole[:min(most, len(whole))], []int32{3})
		if got := tokenizer.Encode(nil, text, most+2); !slices.Equal(got, want) {
			t.Fatalf("between special tokens %v, want %v", got, want)
		}
	})
}

func TestReadingInBlocksIsReadingWhole(t *testing.T) {
	blocks := small(t)
	whole := small(t, addToken("never there", normalisedField))
	rapid.Check(t, func(t *rapid.T) {
		text := anyText().Draw(t, "text")
		if got, want := blocks.Encode(nil, text, math.MaxInt), whole.Encode(nil, text, math.MaxInt); !slices.Equal(got, want) {
			t.Fatalf("ids %v, want %v", got, want)
		}
	})
}

func TestWordsDoNotDependOnEachOther(t *testing.T) {
	tokenizer := small(t)
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyText().Draw(t, "a"), anyText().Draw(t, "b")
		want := tokenizer.Tokenize(tokenizer.Tokenize(nil, a, math.MaxInt), b, math.MaxInt)
		if got := tokenizer.Tokenize(nil, a+" "+b, math.MaxInt); !slices.Equal(got, want) {
			t.Fatalf("ids %v, want %v", got, want)
		}
	})
}

func TestInvalidBytesAreReplacementCharacters(t *testing.T) {
	all := variants(t)
	rapid.Check(t, func(t *rapid.T) {
		tokenizer := rapid.SampledFrom(all).Draw(t, "tokenizer")
		text := string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")) + anyText().Draw(t, "text")
		want := tokenizer.Encode(nil, string([]rune(text)), math.MaxInt)
		if got := tokenizer.Encode(nil, text, math.MaxInt); !slices.Equal(got, want) {
			t.Fatalf("ids %v, want %v", got, want)
		}
	})
}

func TestBothKindsOfFolderAgree(t *testing.T) {
	fromTokenizer, err := Load(folder(t, map[string]string{tokenizerFile: string(smallTokenizer(t)), vocabFile: "not looked at"}))
	if err != nil {
		t.Fatal(err)
	}
	fromVocab, err := Load(folder(t, map[string]string{vocabFile: smallVocabTxt()}))
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		text := anyText().Draw(t, "text")
		if got, want := fromVocab.Encode(nil, text, math.MaxInt), fromTokenizer.Encode(nil, text, math.MaxInt); !slices.Equal(got, want) {
			t.Fatalf("from vocab.txt %v, from tokenizer.json %v", got, want)
		}
	})
}

func TestGoroutinesShareATokenizer(t *testing.T) {
	for _, tokenizer := range variants(t) {
		texts := []string{"the trains is late", strings.Repeat("abc ", 900), "Café <n> 中 [MASK]", "\U0001d165\u302e\u302e"}
		want := make([][]int32, len(texts))
		for i, text := range texts {
			want[i] = tokenizer.Encode(nil, text, 512)
		}
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				for range 50 {
					for i, text := range texts {
						if got := tokenizer.Encode(nil, text, 512); !slices.Equal(got, want[i]) {
							t.Errorf("%.20q has other ids beside other goroutines", text)
						}
					}
				}
			})
		}
		group.Wait()
	}
}
