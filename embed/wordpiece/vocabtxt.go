package wordpiece

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"starling/embed/internal/jsonfile"
)

// What Hugging Face's BertTokenizer has where no file says otherwise.
const (
	continuingPrefix    = "##"
	defaultMaxWordChars = 100
)

// bertClasses are the tokenizers that are this one.
var bertClasses = []string{"", "BertTokenizer", "BertTokenizerFast", "DistilBertTokenizer", "DistilBertTokenizerFast"}

// loadVocab reads the tokenizer of a folder without a tokenizer.json: what
// Hugging Face's BertTokenizerFast makes of it.
func loadVocab(dir string) (*Tokenizer, error) {
	tokens, err := readVocab(filepath.Join(dir, vocabFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is neither a %s nor a %s: %w", tokenizerFile, vocabFile, err)
	}
	if err != nil {
		return nil, err
	}
	var files configFiles
	for name, object := range map[string]*jsonfile.Object{
		configFile: &files.config, specialFile: &files.special, addedFile: &files.added,
	} {
		if *object, err = readConfig(filepath.Join(dir, name)); err != nil {
			return nil, err
		}
	}
	d, err := files.describe(tokens)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", dir, err)
	}
	t, err := d.tokenizer()
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", filepath.Join(dir, vocabFile), err)
	}
	return t, nil
}

// readConfig reads an object that need not be there.
func readConfig(path string) (jsonfile.Object, error) {
	object, err := jsonfile.Read(path, maxConfigBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return object, err
}

func readVocab(path string) ([]string, error) {
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() { // a pipe would be waited for
		return nil, fmt.Errorf("reading %s: it is not a file", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxFileBytes+1))
	if err != nil {
		return nil, err
	}
	tokens, err := parseVocab(string(data))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return tokens, nil
}

// parseVocab returns the lines of a vocab.txt: the tokens by id.
func parseVocab(data string) ([]string, error) {
	if len(data) > maxFileBytes {
		return nil, fmt.Errorf("the file is longer than %d bytes", maxFileBytes)
	}
	data = strings.TrimSuffix(data, "\n")
	if lines := strings.Count(data, "\n") + 1; lines > maxTokens {
		return nil, fmt.Errorf("the file has %d lines, at most %d are supported", lines, maxTokens)
	}
	tokens := strings.Split(data, "\n")
	for i, token := range tokens {
		tokens[i] = strings.TrimSuffix(token, "\r")
	}
	return tokens, nil
}

// configFiles are the files beside a vocab.txt; nil where there is none.
type configFiles struct {
	config, special, added jsonfile.Object
}

// describe returns the description of the tokenizer with a vocabulary.
func (f configFiles) describe(tokens []string) (*description, error) {
	d := &vocabDescription{ids: make(map[string]int32, len(tokens)), isAdded: make(map[string]bool)}
	d.tokens, d.continuation, d.maxWordChars = tokens, continuingPrefix, defaultMaxWordChars
	for id, token := range tokens {
		d.ids[token] = int32(id)
	}
	err := d.configure(f.config)
	if err == nil {
		err = d.addDecoder(f.config)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", configFile, err)
	}
	if err := d.addSpecial(f); err != nil {
		return nil, err
	}
	if err := d.checkAdded(f.added); err != nil {
		return nil, fmt.Errorf("%s: %w", addedFile, err)
	}
	return &d.description, nil
}

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

// configure sets the normaliser.
func (d *vocabDescription) configure(config jsonfile.Object) error {
	class, basic, ideographs, lower := "", true, true, true
	if err := errors.Join(
		config.Get("tokenizer_class", &class),
		config.Get("do_basic_tokenize", &basic),
		config.Get("tokenize_chinese_chars", &ideographs),
		config.Get("do_lower_case", &lower),
	); err != nil {
		return err
	}
	accents := lower
	if err := config.Get("strip_accents", &accents); err != nil {
		return err
	}
	switch {
	case !slices.Contains(bertClasses, class):
		return fmt.Errorf("tokenizer_class %q is not supported without a %s, want %q", class, tokenizerFile, bertClasses[1:])
	case !basic:
		return errors.New("do_basic_tokenize false is not supported")
	}
	d.normaliser = newNormaliser(true, ideographs, accents, lower)
	return nil
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
		d.add(token)
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
