package wordpiece

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"starling/embed/internal/jsonfile"
)

// A vocabDescription is a description that is being put together.
type vocabDescription struct {
	description
	ids     map[string]int32 // of the tokens
	isAdded map[string]bool
}

// add adds a token unless it is there.
func (d *vocabDescription) add(token addedToken) {
	if !d.isAdded[token.content] {
		d.isAdded[token.content] = true
		d.added = append(d.added, token)
	}
}

// addDecoder adds the tokens of added_tokens_decoder, which are by id.
func (d *vocabDescription) addDecoder(config jsonfile.Object) error {
	var decoder map[int32]jsonfile.Object
	if err := config.Get("added_tokens_decoder", &decoder); err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(decoder)) {
		token, err := parseAddedToken(decoder[id])
		if err != nil {
			return fmt.Errorf("added_tokens_decoder: token %d: %w", id, err)
		}
		token.id = id
		d.ids[token.content] = id
		d.isAdded[token.content] = true
		d.added = append(d.added, token)
	}
	return nil
}

// addSpecial adds the special tokens, and puts the first and the last one around
// every text.
func (d *vocabDescription) addSpecial(f configFiles) error {
	for _, role := range []struct {
		field, content string
		required       bool
		use            func(addedToken)
	}{
		{"unk_token", "[UNK]", true, func(t addedToken) { d.unknown = t.content }},
		{"cls_token", "[CLS]", true, func(t addedToken) { d.prefix = []specialToken{{t.content, t.id}} }},
		{"sep_token", "[SEP]", true, func(t addedToken) { d.suffix = []specialToken{{t.content, t.id}} }},
		{"pad_token", "[PAD]", false, func(addedToken) {}},
		{"mask_token", "[MASK]", false, func(addedToken) {}},
	} {
		token, err := f.specialToken(role.field, role.content)
		if err != nil {
			return err
		}
		var known bool
		switch token.id, known = d.ids[token.content]; {
		case known:
			d.add(token)
			role.use(token)
		case role.required:
			return fmt.Errorf("%s %q is not in %s", role.field, token.content, vocabFile)
		}
	}
	return d.addAdditional(f)
}

// A namedObject is one of the files.
type namedObject struct {
	name   string
	object jsonfile.Object
}

// naming are the files that name special tokens.
func (f configFiles) naming() []namedObject {
	return []namedObject{{configFile, f.config}, {specialFile, f.special}}
}

// specialToken returns the special token of a field. Hugging Face lets
// special_tokens_map.json win.
func (f configFiles) specialToken(field, content string) (addedToken, error) {
	token := addedToken{content: content, special: true}
	for _, file := range f.naming() {
		raw, ok := file.object[field]
		if !ok || string(raw) == "null" {
			continue
		}
		var err error
		if token, err = parseSpecialToken(raw); err != nil {
			return token, fmt.Errorf("%s: %s: %w", file.name, field, err)
		}
	}
	return token, nil
}

// parseSpecialToken reads a special token: its content alone, or an object.
func parseSpecialToken(raw json.RawMessage) (addedToken, error) {
	token := addedToken{special: true}
	if json.Unmarshal(raw, &token.content) == nil {
		return token, nil
	}
	var members jsonfile.Object
	if err := json.Unmarshal(raw, &members); err != nil {
		return token, errors.New("it is neither a string nor an object")
	}
	token, err := parseAddedToken(members)
	token.special = true
	return token, err
}

// addAdditional adds the special tokens without a role.
func (d *vocabDescription) addAdditional(f configFiles) error {
	const field = "additional_special_tokens"
	for _, file := range f.naming() {
		var list []json.RawMessage
		if err := file.object.Get(field, &list); err != nil {
			return fmt.Errorf("%s: %w", file.name, err)
		}
		for _, raw := range list {
			token, err := parseSpecialToken(raw)
			if err != nil {
				return fmt.Errorf("%s: %s: %w", file.name, field, err)
			}
			var known bool
			if token.id, known = d.ids[token.content]; !known {
				return fmt.Errorf("%s: %s: %q is not in %s", file.name, field, token.content, vocabFile)
			}
			d.add(token)
		}
	}
	return nil
}

// checkAdded refuses tokens that would need an id of their own: it is not said
// how they are to be found in a text.
func (d *vocabDescription) checkAdded(added jsonfile.Object) error {
	for _, content := range slices.Sorted(maps.Keys(added)) {
		if _, known := d.ids[content]; !known {
			return fmt.Errorf("%q is not in %s: a model with more tokens needs its %s", content, vocabFile, tokenizerFile)
		}
	}
	return nil
}
