package wordpiece

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"starling/embed/internal/jsonfile"
)

// smallVocab is the vocabulary of most tests.
var smallVocab = strings.Fields("[PAD] [UNK] [CLS] [SEP] [MASK] a b c ab abc ##a ##b ##c ##bc " +
	"the train ##s is late un ##believ ##able cafe café ##é i ##̇ σ ς ! , . - ' [ ] mask sep 中 文 ½ 1 ##1 T ##T")

// A section is a JSON object under construction.
type section = map[string]any

// smallTokenizer is the tokenizer.json of smallVocab, after the edits.
func smallTokenizer(tb testing.TB, edits ...func(section)) []byte {
	tb.Helper()
	vocab := section{}
	for id, token := range smallVocab {
		vocab[token] = id
	}
	var added []any
	for id, token := range smallVocab[:5] {
		added = append(added, section{
			"id": id, "content": token, "single_word": false, "lstrip": false, "rstrip": false, normalisedField: false, "special": true,
		})
	}
	file := section{
		"version":       "1.0",
		"truncation":    section{"max_length": 3},
		"padding":       nil,
		"added_tokens":  added,
		"normalizer":    section{"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": nil, "lowercase": true},
		"pre_tokenizer": section{"type": "BertPreTokenizer"},
		"post_processor": section{
			"type":           "TemplateProcessing",
			"single":         []any{special("[CLS]"), sequence("A"), special("[SEP]")},
			"special_tokens": section{"[CLS]": stands("[CLS]", 2), "[SEP]": stands("[SEP]", 3)},
		},
		"model": section{"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": vocab},
	}
	for _, edit := range edits {
		edit(file)
	}
	data, err := json.Marshal(file)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func special(token string) any { return section{"SpecialToken": section{"id": token, "type_id": 0}} }
func sequence(name string) any { return section{"Sequence": section{"id": name, "type_id": 0}} }
func stands(token string, id int) any {
	return section{"id": token, "ids": []int{id}, "tokens": []string{token}}
}

// set returns an edit that sets a member by its path, or removes it where value
// is removed.
func set(path string, value any) func(section) {
	return func(file section) {
		names := strings.Split(path, "/")
		for _, name := range names[:len(names)-1] {
			file = file[name].(section)
		}
		if value == removed {
			delete(file, names[len(names)-1])
		} else {
			file[names[len(names)-1]] = value
		}
	}
}

var removed = new(int)

// addToken returns an edit that adds an added token with the next id and flags.
func addToken(content string, flags ...string) func(section) {
	return func(file section) {
		added := file["added_tokens"].([]any)
		vocab := file["model"].(section)["vocab"].(section)
		id, known := vocab[content]
		if !known {
			id = len(vocab) + len(added) - 5
		}
		token := section{"id": id, "content": content}
		for _, flag := range []string{"single_word", "lstrip", "rstrip", normalisedField, "special"} {
			token[flag] = slices.Contains(flags, flag)
		}
		file["added_tokens"] = append(added, token)
	}
}

// fromJSON returns the tokenizer that a tokenizer.json describes.
func fromJSON(data []byte) (*Tokenizer, error) {
	object, err := jsonfile.Parse(data)
	if err != nil {
		return nil, err
	}
	d, err := parseTokenizer(object)
	if err != nil {
		return nil, err
	}
	return d.tokenizer()
}

// small returns the tokenizer of smallTokenizer.
func small(tb testing.TB, edits ...func(section)) *Tokenizer {
	tb.Helper()
	t, err := fromJSON(smallTokenizer(tb, edits...))
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

// folder returns a folder with files.
func folder(tb testing.TB, files map[string]string) string {
	tb.Helper()
	dir := tb.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666); err != nil {
			tb.Fatal(err)
		}
	}
	return dir
}

// smallVocabTxt is the vocab.txt of smallVocab.
func smallVocabTxt() string { return strings.Join(smallVocab, "\n") + "\n" }

// tokens returns the tokens of a text, special ones around it included.
func tokens(t *Tokenizer, text string) string {
	var names []string
	for _, id := range t.Encode(nil, text, math.MaxInt) {
		names = append(names, t.Token(id))
	}
	return strings.Join(names, " ")
}
