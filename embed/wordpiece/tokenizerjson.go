package wordpiece

import (
	"errors"
	"fmt"

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
	// Old files name no type, and the Rust crate reads them all the same.
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
	var err1, err2, err3 error
	d.steps.clean, err1 = require[bool](normalizer, "clean_text")
	d.steps.ideographs, err2 = require[bool](normalizer, "handle_chinese_chars")
	d.steps.lower, err3 = require[bool](normalizer, "lowercase")
	d.steps.accents = d.steps.lower
	return errors.Join(err1, err2, err3, normalizer.Get("strip_accents", &d.steps.accents))
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

// normalisedField is the field of an added token that is normalised.
const normalisedField = "normalized" //nolint:misspell // a name of a foreign format

// parseAddedToken reads all of an added token but the id.
func parseAddedToken(members jsonfile.Object) (token addedToken, err error) {
	if token.content, err = require[string](members, "content"); err != nil {
		return token, err
	}
	for name, flag := range map[string]*bool{
		"single_word":   &token.singleWord,
		"lstrip":        &token.left,
		"rstrip":        &token.right,
		normalisedField: &token.normalised,
		"special":       &token.special,
	} {
		if err := members.Get(name, flag); err != nil {
			return token, err
		}
	}
	return token, nil
}
