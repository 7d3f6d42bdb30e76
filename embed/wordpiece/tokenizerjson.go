package wordpiece

import (
	"errors"
	"fmt"
	"path/filepath"

	"starling/embed/internal/jsonfile"
)

// parseTokenizer reads what a tokenizer.json holds, as the Rust crate writes it.
func parseTokenizer(object jsonfile.Object) (*description, error) {
	version := "1.0"
	if err := object.Get("version", &version); err != nil {
		return nil, err
	}
	if version != "1.0" {
		return nil, fmt.Errorf("version is %q, want %q", version, "1.0")
	}
	d := new(description)
	for _, section := range []struct {
		name  string
		parse func(*description, jsonfile.Object) error
	}{
		{"model", parseModel},
		{"normalizer", parseNormalizer},
		{"pre_tokenizer", parsePreTokenizer},
		{"post_processor", parsePostProcessor},
	} {
		var members jsonfile.Object
		if err := object.Get(section.name, &members); err != nil {
			return nil, err
		}
		if err := section.parse(d, members); err != nil {
			return nil, fmt.Errorf("%s: %w", section.name, err)
		}
	}
	return d, parseAddedTokens(d, object)
}

// require is Get for a member that has to be there.
func require[T any](object jsonfile.Object, name string) (value T, err error) {
	var member *T
	if err := object.Get(name, &member); err != nil {
		return value, err
	}
	if member == nil {
		return value, fmt.Errorf("%s is missing", name)
	}
	return *member, nil
}

// requireType checks the kind of a section.
func requireType(object jsonfile.Object, want string) error {
	switch got, err := require[string](object, "type"); {
	case err != nil:
		return err
	case got != want:
		return fmt.Errorf("type %q is not supported, want %q", got, want)
	}
	return nil
}

func parseModel(d *description, model jsonfile.Object) (err error) {
	// Files of before 2021 name no type, that of bert-base-uncased among them.
	if _, typed := model["type"]; typed {
		if err := requireType(model, "WordPiece"); err != nil {
			return err
		}
	}
	if d.continuation, err = require[string](model, "continuing_subword_prefix"); err != nil {
		return err
	}
	if d.unknown, err = require[string](model, "unk_token"); err != nil {
		return err
	}
	if d.maxWordChars, err = require[int](model, "max_input_chars_per_word"); err != nil {
		return err
	}
	if d.maxWordChars < 0 {
		return fmt.Errorf("max_input_chars_per_word is %d", d.maxWordChars)
	}
	vocab, err := require[map[string]int32](model, "vocab")
	if err != nil {
		return err
	}
	d.tokens, err = byID(vocab)
	return err
}

// byID returns tokens by id: from 0 on, none twice and none left out.
func byID(vocab map[string]int32) ([]string, error) {
	tokens := make([]string, len(vocab))
	seen := make([]bool, len(vocab))
	for token, id := range vocab {
		if id < 0 || int(id) >= len(tokens) {
			return nil, fmt.Errorf("vocab: token %q has the id %d, but %d tokens have the ids 0 to %d", token, id, len(tokens), len(tokens)-1)
		}
		if seen[id] {
			return nil, fmt.Errorf("vocab: tokens %q and %q both have the id %d", tokens[id], token, id)
		}
		tokens[id], seen[id] = token, true
	}
	return tokens, nil
}

func parseNormalizer(d *description, normalizer jsonfile.Object) error {
	if err := requireType(normalizer, "BertNormalizer"); err != nil {
		return err
	}
	clean, err1 := require[bool](normalizer, "clean_text")
	ideographs, err2 := require[bool](normalizer, "handle_chinese_chars")
	lower, err3 := require[bool](normalizer, "lowercase")
	accents := lower
	err4 := normalizer.Get("strip_accents", &accents)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return err
	}
	d.normaliser = newNormaliser(clean, ideographs, accents, lower)
	return nil
}

func parsePreTokenizer(_ *description, preTokenizer jsonfile.Object) error {
	return requireType(preTokenizer, "BertPreTokenizer")
}

func parseAddedTokens(d *description, object jsonfile.Object) error {
	var list []jsonfile.Object
	if err := object.Get("added_tokens", &list); err != nil {
		return err
	}
	for i, members := range list {
		token, err := parseAddedToken(members)
		if err == nil {
			token.id, err = require[int32](members, "id")
		}
		if err != nil {
			return fmt.Errorf("added_tokens: token %d: %w", i, err)
		}
		d.added = append(d.added, token)
	}
	return nil
}

// parseAddedToken reads all of an added token but the id.
func parseAddedToken(members jsonfile.Object) (token addedToken, err error) {
	if token.content, err = require[string](members, "content"); err != nil {
		return token, err
	}
	for name, flag := range map[string]*bool{
		"single_word": &token.singleWord,
		"lstrip":      &token.left,
		"rstrip":      &token.right,
		"normalized":  &token.normalised,
		"special":     &token.special,
	} {
		if err := members.Get(name, flag); err != nil {
			return token, err
		}
	}
	return token, nil
}

// parsePostProcessor reads the special tokens around a text. Without a section
// there are none.
func parsePostProcessor(d *description, processor jsonfile.Object) error {
	if processor == nil {
		return nil
	}
	switch kind, err := require[string](processor, "type"); {
	case err != nil:
		return err
	case kind == "TemplateProcessing":
		return parseTemplate(d, processor)
	case kind == "BertProcessing":
		return errors.Join(parsePair(&d.prefix, processor, "cls"), parsePair(&d.suffix, processor, "sep"))
	default:
		return fmt.Errorf("type %q is not supported, want %q or %q", kind, "TemplateProcessing", "BertProcessing")
	}
}

// parsePair reads a special token written as an array of itself and its id.
func parsePair(to *[]specialToken, processor jsonfile.Object, name string) error {
	var token specialToken
	pair := []any{&token.content, &token.id}
	if err := processor.Get(name, &pair); err != nil {
		return err
	}
	if len(pair) != 2 || token.content == "" {
		return fmt.Errorf("%s is not a token with its id", name)
	}
	*to = []specialToken{token}
	return nil
}

// parseTemplate reads the template of one text: special tokens around the
// sequence A.
func parseTemplate(d *description, processor jsonfile.Object) error {
	single, err := require[[]jsonfile.Object](processor, "single")
	if err != nil {
		return err
	}
	special, err := require[jsonfile.Object](processor, "special_tokens")
	if err != nil {
		return err
	}
	side, sequences := &d.prefix, 0
	for i, item := range single {
		token, err := parseItem(item)
		if err != nil {
			return fmt.Errorf("single: item %d: %w", i, err)
		}
		if token == "" {
			side, sequences = &d.suffix, sequences+1
			continue
		}
		if *side, err = appendSpecial(*side, special, token); err != nil {
			return fmt.Errorf("special_tokens: %q: %w", token, err)
		}
	}
	if sequences != 1 {
		return fmt.Errorf("single has the sequence A %d times, want it once", sequences)
	}
	return nil
}

// parseItem returns the name of the special token that a template's item asks
// for, or "" where it asks for the text.
func parseItem(item jsonfile.Object) (token string, err error) {
	var members jsonfile.Object
	_, isSequence := item["Sequence"]
	name, want := "SpecialToken", ""
	if isSequence {
		name, want = "Sequence", "A"
	}
	if members, err = require[jsonfile.Object](item, name); err != nil {
		return "", err
	}
	id, err1 := require[string](members, "id")
	kind, err2 := require[int](members, "type_id")
	if err := errors.Join(err1, err2); err != nil {
		return "", err
	}
	switch {
	case kind != 0:
		return "", fmt.Errorf("type_id %d is not supported, want 0", kind)
	case isSequence && id != want:
		return "", fmt.Errorf("the sequence %q is not supported, want %q", id, want)
	case isSequence:
		return "", nil
	case id == "":
		return "", errors.New("id is empty")
	}
	return id, nil
}

// appendSpecial appends what the template's special token stands for.
func appendSpecial(to []specialToken, special jsonfile.Object, name string) ([]specialToken, error) {
	members, err := require[jsonfile.Object](special, name)
	if err != nil {
		return nil, err
	}
	ids, err1 := require[[]int32](members, "ids")
	tokens, err2 := require[[]string](members, "tokens")
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	if len(ids) != len(tokens) {
		return nil, fmt.Errorf("%d ids for %d tokens", len(ids), len(tokens))
	}
	for i, id := range ids {
		to = append(to, specialToken{tokens[i], id})
	}
	return to, nil
}

// checkAgreement returns an error where tokenizer_config.json says otherwise
// than tokenizer.json. Hugging Face's BertTokenizerFast then follows the former,
// other programs the latter.
func checkAgreement(dir string, d *description) error {
	path := filepath.Join(dir, configFile)
	config, err := readConfig(path)
	if err != nil {
		return err
	}
	for _, field := range []struct {
		name, here string
		value      bool
	}{
		{"do_lower_case", "lowercase", d.normaliser.lower},
		{"strip_accents", "strip_accents", d.normaliser.accents},
		{"tokenize_chinese_chars", "handle_chinese_chars", d.normaliser.ideographs},
	} {
		value := field.value
		if err := config.Get(field.name, &value); err != nil {
			return fmt.Errorf("reading %s: %w", path, err)
		}
		if value != field.value {
			return fmt.Errorf("reading %s: %s is %v, but normalizer.%s of %s is not: make them say the same",
				path, field.name, value, field.here, tokenizerFile)
		}
	}
	return nil
}
