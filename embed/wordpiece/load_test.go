package wordpiece

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestBadTokenizerJSONIsRefused(t *testing.T) {
	edited := func(path string, value any) string { return string(smallTokenizer(t, set(path, value))) }
	added := func(edits ...func(section)) string { return string(smallTokenizer(t, edits...)) }
	template := func(items ...any) string { return edited("post_processor/single", items) }
	for _, test := range []struct{ why, file, want string }{
		{"no JSON", "vocab", "invalid"},
		{"a key twice", `{"version": "1.0", "version": "1.0"}`, `"version"`},
		{"a token twice", strings.Replace(added(), `"abc":9`, `"abc":9,"abc":9`, 1), `"abc"`},
		{"another version", edited("version", "2.0"), "version"},
		{"no model", edited("model", removed), "model: continuing_subword_prefix"},
		{"BPE", edited("model/type", "BPE"), `model: type "BPE"`},
		{"Unigram", edited("model/type", "Unigram"), `model: type "Unigram"`},
		{"no vocabulary", edited("model/vocab", removed), "model: vocab"},
		{"a vocabulary that is a list", edited("model/vocab", []any{"a"}), "model: vocab"},
		{"an empty vocabulary", edited("model/vocab", section{}), "[UNK]"},
		{"an id twice", edited("model/vocab/b", 5), `vocab: tokens`},
		{"an id left out", edited("model/vocab/T", 999), "vocab: token"},
		{"a negative id", edited("model/vocab/T", -1), "vocab: token"},
		{"an id that is no integer", edited("model/vocab/T", 5.5), "vocab"},
		{"an empty token", edited("model/vocab/", len(smallVocab)), "empty"},
		{"a token too long", edited("model/vocab/"+strings.Repeat("x", maxTokenBytes+1), len(smallVocab)), "bytes"},
		{"no unknown token", edited("model/unk_token", "[NONE]"), `"[NONE]"`},
		{"a negative word length", edited("model/max_input_chars_per_word", -1), "max_input_chars_per_word"},
		{"a huge word length", edited("model/max_input_chars_per_word", math.MaxInt), "max_input_chars_per_word"},
		{"no normaliser", edited("normalizer", nil), "normalizer: type"},
		{"another normaliser", edited("normalizer/type", "NFKC"), `normalizer: type "NFKC"`},
		{"a setting left out", edited("normalizer/clean_text", removed), "normalizer: clean_text"},
		{"a setting that is no bool", edited("normalizer/strip_accents", "yes"), "normalizer: strip_accents"},
		{"another pre-tokenizer", edited("pre_tokenizer/type", "ByteLevel"), `pre_tokenizer: type "ByteLevel"`},
		{"another post-processor", edited("post_processor/type", "RobertaProcessing"), `post_processor: type "RobertaProcessing"`},
		{"a pair without id", edited("post_processor", section{"type": "BertProcessing", "cls": []any{"[CLS]"}, "sep": []any{"[SEP]", 3}}), "post_processor: cls"},
		{"a template without text", template(special("[CLS]")), "post_processor: single"},
		{"a template with the text twice", template(sequence("A"), sequence("A")), "post_processor: single"},
		{"a template of another text", template(sequence("B")), `"B"`},
		{"a template of another segment", template(section{"Sequence": section{"id": "A", "type_id": 1}}), "type_id"},
		{"a template of nothing known", template(section{"Other": section{}}), "SpecialToken"},
		{"a special token without ids", template(sequence("A"), special("[PAD]")), `"[PAD]"`},
		{"a special token of another id", edited("post_processor/special_tokens/[CLS]", stands("[CLS]", 3)), `"[CLS]"`},
		{"a special token beyond the vocabulary", edited("post_processor/special_tokens/[CLS]", stands("[CLS]", 999)), "999"},
		{"a hundred special tokens", template(append(slices.Repeat([]any{special("[CLS]")}, 100), sequence("A"))...), "100"},
		{"an added token without content", edited("added_tokens", []any{section{"id": 0}}), "added_tokens: token 0: content"},
		{"an added token without id", edited("added_tokens", []any{section{"content": "[PAD]"}}), "added_tokens: token 0: id"},
		{"an added token with another id", edited("added_tokens", []any{section{"id": 9, "content": "[PAD]"}}), `"[PAD]"`},
		{"a gap before an added token", edited("added_tokens", []any{section{"id": 999, "content": "new"}}), `"new"`},
		{"an added token twice", added(addToken("new"), addToken("new")), `"new"`},
		{"an added token of nothing", added(addToken("\u0301", normalisedField)), "normalised"},
	} {
		dir := folder(t, map[string]string{tokenizerFile: test.file})
		_, err := Load(dir)
		checkError(t, test.why, err, filepath.Join(dir, tokenizerFile), test.want)
	}
}

// checkError checks that an error names the file and says what is wanted.
func checkError(t *testing.T, why string, err error, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: error %q does not say %s", why, fmt.Sprint(err), part)
		}
	}
}

func TestBadVocabIsRefused(t *testing.T) {
	for _, test := range []struct{ why, vocab, want string }{
		{"nothing", "", "[UNK]"},
		{"an empty line", strings.Replace(smallVocabTxt(), "\nb\n", "\n\n", 1), "token 6"},
		{"a token twice", smallVocabTxt() + "abc\n", `"abc"`},
		{"no UTF-8", smallVocabTxt() + "\xff\n", "UTF-8"},
		{"a token too long", smallVocabTxt() + strings.Repeat("x", maxTokenBytes+1), "bytes"},
		{"too many tokens", smallVocabTxt() + strings.Repeat("\n", maxTokens), "lines"},
		{"no [UNK]", strings.Replace(smallVocabTxt(), "[UNK]", "[unk]", 1), "unk_token"},
		{"no [CLS]", strings.Replace(smallVocabTxt(), "[CLS]", "[cls]", 1), "cls_token"},
		{"no [SEP]", strings.Replace(smallVocabTxt(), "[SEP]", "[sep]", 1), "sep_token"},
	} {
		dir := folder(t, map[string]string{vocabFile: test.vocab})
		_, err := Load(dir)
		checkError(t, test.why, err, dir, vocabFile, test.want)
	}
}

func TestBadConfigIsRefused(t *testing.T) {
	for _, test := range []struct{ why, name, content, want string }{
		{"no JSON", configFile, "{", "EOF"},
		{"a key twice", configFile, `{"do_lower_case": true, "do_lower_case": false}`, "do_lower_case"},
		{"no bool", configFile, `{"do_lower_case": "no"}`, "do_lower_case"},
		{"a tokenizer of another kind", configFile, `{"tokenizer_class": "BertJapaneseTokenizer"}`, "BertJapaneseTokenizer"},
		{"no pre-tokenizer", configFile, `{"do_basic_tokenize": false}`, "do_basic_tokenize"},
		{"a special token that is a number", configFile, `{"cls_token": 1}`, "cls_token"},
		{"a special token without content", configFile, `{"cls_token": {"lstrip": false}}`, "cls_token: content"},
		{"a special token beside the vocabulary", configFile, `{"cls_token": "<s>"}`, `cls_token "<s>"`},
		{"an added token of another id", configFile, `{"added_tokens_decoder": {"7": {"content": "[PAD]"}}}`, `"[PAD]"`},
		{"an added token without content", configFile, `{"added_tokens_decoder": {"7": {}}}`, "added_tokens_decoder: token 7: content"},
		{"an added token whose id is a word", configFile, `{"added_tokens_decoder": {"x": {"content": "[PAD]"}}}`, "added_tokens_decoder"},
		{"a special token that wins", specialFile, `{"sep_token": "</s>"}`, `sep_token "</s>"`},
		{"an additional one beside the vocabulary", specialFile, `{"additional_special_tokens": ["<x>"]}`, `"<x>"`},
		{"additional ones that are no list", specialFile, `{"additional_special_tokens": "<x>"}`, "additional_special_tokens"},
		{"an added token beside the vocabulary", addedFile, `{"<x>": 99}`, `"<x>"`},
	} {
		dir := folder(t, map[string]string{vocabFile: smallVocabTxt(), test.name: test.content})
		_, err := Load(dir)
		checkError(t, test.why, err, dir, test.want)
		if !strings.Contains(err.Error(), test.name) && !strings.Contains(err.Error(), vocabFile) {
			t.Errorf("%s: error %q names no file", test.why, err)
		}
	}
}

func TestConfigOfVocab(t *testing.T) {
	for _, test := range []struct{ why, name, content, text, want string }{
		{"cased", configFile, `{"do_lower_case": false}`, "T café", "[CLS] T café [SEP]"},
		{"accents of their own", configFile, `{"do_lower_case": true, "strip_accents": false}`, "CAFÉ", "[CLS] café [SEP]"},
		{"ideographs in one word", configFile, `{"tokenize_chinese_chars": false}`, "中文", "[CLS] [UNK] [SEP]"},
		{"other special tokens", configFile, `{"cls_token": "[MASK]", "sep_token": {"content": "[PAD]", "lstrip": true}}`, "zz", "[MASK] [UNK] [PAD]"},
		{"an unknown token", configFile, `{"unk_token": "sep"}`, "zz", "[CLS] sep [SEP]"},
		{"a special token that wins", specialFile, `{"cls_token": "[MASK]"}`, "a", "[MASK] a [SEP]"},
		{"a mask", configFile, `{"mask_token": "train"}`, "abtrain", "[CLS] ab train [SEP]"},
		{"additional special tokens", specialFile, `{"additional_special_tokens": ["train", {"content": "late"}]}`, "abtrainlate", "[CLS] ab train late [SEP]"},
		{"new tokens", configFile, fmt.Sprintf(`{"added_tokens_decoder": {"%d": {"content": "<n>", "special": true}}}`, len(smallVocab)), "a<n>", "[CLS] a <n> [SEP]"},
		{"tokens that are there", addedFile, `{"[MASK]": 4}`, "[MASK]", "[CLS] [MASK] [SEP]"},
	} {
		tokenizer, err := Load(folder(t, map[string]string{vocabFile: smallVocabTxt(), test.name: test.content}))
		if err != nil {
			t.Errorf("%s: %v", test.why, err)
			continue
		}
		if got := tokens(tokenizer, test.text); got != test.want {
			t.Errorf("%s: tokens %s, want %s", test.why, got, test.want)
		}
	}
}

func TestAMissingMaskIsNotRecognised(t *testing.T) {
	vocab := strings.Replace(smallVocabTxt(), "[MASK]", "[unused]", 1)
	tokenizer, err := Load(folder(t, map[string]string{vocabFile: vocab}))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := tokens(tokenizer, "[MASK]"), "[CLS] [ mask ] [SEP]"; got != want {
		t.Errorf("tokens %s, want %s", got, want)
	}
}

func TestLinesOfWindows(t *testing.T) {
	tokenizer, err := Load(folder(t, map[string]string{vocabFile: strings.ReplaceAll(smallVocabTxt(), "\n", "\r\n")}))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := tokens(tokenizer, "trains"), "[CLS] train ##s [SEP]"; got != want {
		t.Errorf("tokens %s, want %s", got, want)
	}
}

func TestDisagreeingFilesAreRefused(t *testing.T) {
	for content, agree := range map[string]bool{
		`{}`: true,
		`{"do_lower_case": true, "strip_accents": null, "tokenize_chinese_chars": true}`: true,
		`{"strip_accents": true}`:           true,
		`{"do_lower_case": false}`:          false,
		`{"strip_accents": false}`:          false,
		`{"tokenize_chinese_chars": false}`: false,
		`{"do_lower_case": 1}`:              false,
		`[]`:                                false,
	} {
		dir := folder(t, map[string]string{tokenizerFile: string(smallTokenizer(t)), configFile: content})
		_, err := Load(dir)
		if (err == nil) != agree {
			t.Errorf("%s: error %v", content, err)
		}
		if err != nil {
			checkError(t, content, err, filepath.Join(dir, configFile))
		}
	}
}

func TestFoldersWithoutATokenizer(t *testing.T) {
	if _, err := Load(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty folder: %v", err)
	}
	for _, name := range []string{tokenizerFile, vocabFile} {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, name), 0o777); err != nil {
			t.Fatal(err)
		}
		_, err := Load(dir)
		checkError(t, "a folder", err, filepath.Join(dir, name))
	}
}

func TestHugeFilesAreRefused(t *testing.T) {
	for name, size := range map[string]int64{tokenizerFile: maxFileBytes, vocabFile: maxFileBytes, configFile: maxConfigBytes} {
		dir := folder(t, map[string]string{vocabFile: smallVocabTxt()})
		file, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(file.Truncate(size+1), file.Close()); err != nil { // a hole takes no disk
			t.Fatal(err)
		}
		_, err = Load(dir)
		checkError(t, "a huge file", err, filepath.Join(dir, name), fmt.Sprint(size))
	}
}
