package wordpiece

import (
	"encoding/json"
	"errors"
	"fmt"

	"starling/embed/internal/jsonfile"
)

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
	pair, err := require[[]json.RawMessage](processor, name)
	if err != nil {
		return err
	}
	var token specialToken
	if len(pair) != 2 || json.Unmarshal(pair[0], &token.content) != nil || json.Unmarshal(pair[1], &token.id) != nil {
		return fmt.Errorf("%s is not an array of a token and its id", name)
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
