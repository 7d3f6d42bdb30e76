package wordpiece

import (
	"math"
	"slices"
	"testing"

	"starling/embed/internal/jsonfile"
)

// checkIDs encodes a text and checks that the ids are those of the vocabulary
// and no more than asked for.
func checkIDs(t *testing.T, tokenizer *Tokenizer, text string) {
	t.Helper()
	whole := tokenizer.Encode(nil, text, math.MaxInt)
	for _, id := range whole {
		if id < 0 || int(id) >= tokenizer.VocabSize() {
			t.Fatalf("%q has the id %d of %d", text, id, tokenizer.VocabSize())
		}
	}
	around := len(tokenizer.prefix) + len(tokenizer.suffix)
	most := len(whole) / 2
	if got := tokenizer.Encode(nil, text, most); len(got) != max(most, around) {
		t.Fatalf("%q has %d ids, want %d", text, len(got), max(most, around))
	}
}

// tinyTokenizer is short, so that most mutations hit something.
const tinyTokenizer = `{"added_tokens":[{"id":1,"content":"[U]"}],` +
	`"normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"lowercase":true},` +
	`"pre_tokenizer":{"type":"BertPreTokenizer"},` +
	`"post_processor":{"type":"BertProcessing","cls":["a",0],"sep":["##b",2]},` +
	`"model":{"unk_token":"[U]","continuing_subword_prefix":"##","max_input_chars_per_word":9,"vocab":{"a":0,"[U]":1,"##b":2}}}`

func FuzzTokenizerJSON(f *testing.F) {
	f.Add([]byte(tinyTokenizer), "ab [U]")
	f.Add(smallTokenizer(f), "the trains is [MASK] late")
	f.Add(smallTokenizer(f, addToken("<n>", normalisedField, "single_word"), set("normalizer/lowercase", false)), "a <n>, É")
	f.Add(smallTokenizer(f, set("post_processor", section{"type": "BertProcessing", "cls": []any{"[CLS]", 2}, "sep": []any{"[SEP]", 3}})), "")
	f.Fuzz(func(t *testing.T, file []byte, text string) {
		if tokenizer, err := fromJSON(file); err == nil {
			checkIDs(t, tokenizer, text)
		}
	})
}

func FuzzVocab(f *testing.F) {
	f.Add(smallVocabTxt(), []byte(`{"do_lower_case": false, "cls_token": "[MASK]"}`), []byte(`{"additional_special_tokens": ["train"]}`), "abtrain")
	f.Add(smallVocabTxt(), []byte(`{"added_tokens_decoder": {"0": {"content": "[PAD]", "`+normalisedField+`": true}}}`), []byte(`{"sep_token": {"content": "a"}}`), "a[pad]")
	f.Fuzz(func(t *testing.T, vocab string, config, special []byte, text string) {
		tokens, err := parseVocab(vocab)
		if err != nil {
			return
		}
		var files configFiles
		for object, data := range map[*jsonfile.Object][]byte{&files.config: config, &files.special: special} {
			if *object, err = jsonfile.Parse(data); err != nil {
				return
			}
		}
		d, err := files.describe(tokens)
		if err != nil {
			return
		}
		if tokenizer, err := d.tokenizer(); err == nil {
			checkIDs(t, tokenizer, text)
		}
	})
}

func FuzzEncode(f *testing.F) {
	for _, text := range []string{"the trains is [MASK] late", "Café e\u0301", "中文\xff\xe4\xb8", "\U0001d165\u302e\u034f\u302a", "<n> é[sep]", "한국\x00"} {
		f.Add([]byte(text))
	}
	all := variants(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, tokenizer := range all {
			checkIDs(t, tokenizer, string(data))
			valid := tokenizer.Encode(nil, string([]rune(string(data))), math.MaxInt)
			if got := tokenizer.Encode(nil, string(data), math.MaxInt); !slices.Equal(got, valid) {
				t.Fatalf("%q has the ids %v, want %v", data, got, valid)
			}
		}
	})
}
