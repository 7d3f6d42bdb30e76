package wordpiece

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"starling/embed/internal/jsonfile"
)

// The files of a model's folder that describe its tokenizer.
const (
	tokenizerFile = "tokenizer.json"
	vocabFile     = "vocab.txt"
	configFile    = "tokenizer_config.json"
	specialFile   = "special_tokens_map.json"
	addedFile     = "added_tokens.json"
)

const (
	// maxFileBytes is the longest tokenizer.json and vocab.txt.
	maxFileBytes = 64 << 20
	// maxConfigBytes is the longest of the other files.
	maxConfigBytes = 4 << 20
)

// Load reads the tokenizer of the model in a folder: from tokenizer.json, else
// from vocab.txt with tokenizer_config.json and special_tokens_map.json, if there
// are. How long a text may be is not its concern: what tokenizer.json says of
// truncation and padding is passed over. A tokenizer of another kind is an error,
// and so is whatever the files say that would change ids and is not supported;
// errors name the file and the field.
func Load(dir string) (*Tokenizer, error) {
	path := filepath.Join(dir, tokenizerFile)
	object, err := jsonfile.Read(path, maxFileBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return loadVocab(dir)
	}
	if err != nil {
		return nil, err
	}
	d, err := parseTokenizer(object)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	if err := checkAgreement(dir, d); err != nil {
		return nil, err
	}
	t, err := d.tokenizer()
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return t, nil
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
		{"do_lower_case", "lowercase", d.steps.lower},
		{"strip_accents", "strip_accents", d.steps.accents},
		{"tokenize_chinese_chars", "handle_chinese_chars", d.steps.ideographs},
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

// A description is what either set of files says.
type description struct {
	tokens         []string // of the model, by id
	unknown        string
	continuation   string
	maxWordChars   int
	steps          steps
	added          []addedToken
	prefix, suffix []specialToken
}

// A specialToken is one around a text.
type specialToken struct {
	content string
	id      int32
}

// tokenizer checks the description and returns what it describes.
func (d *description) tokenizer() (*Tokenizer, error) {
	v, err := newVocabulary(d.tokens, d.unknown, d.continuation, d.maxWordChars)
	if err != nil {
		return nil, err
	}
	if err := v.addTokens(d.added); err != nil {
		return nil, err
	}
	t := &Tokenizer{vocabulary: v, normaliser: newNormaliser(d.steps)}
	if err := t.setAdded(d.added); err != nil {
		return nil, err
	}
	if t.prefix, err = t.specialIDs(d.prefix); err != nil {
		return nil, err
	}
	t.suffix, err = t.specialIDs(d.suffix)
	return t, err
}

func (t *Tokenizer) setAdded(tokens []addedToken) (err error) {
	var raw, normalised []addedToken
	for _, token := range tokens {
		if token.normalised {
			normalised = append(normalised, token)
		} else {
			raw = append(raw, token)
		}
	}
	t.raw, err = newAddedTokens(raw, func(token addedToken) string { return token.content })
	if err != nil {
		return err
	}
	t.normalised, err = newAddedTokens(normalised, func(token addedToken) string {
		content, _ := t.normaliser.append(nil, token.content, maxLength)
		return string(content)
	})
	return err
}

// maxSpecial is the most special tokens on one side of a text.
const maxSpecial = 8

func (t *Tokenizer) specialIDs(tokens []specialToken) ([]int32, error) {
	if len(tokens) > maxSpecial {
		return nil, fmt.Errorf("%d special tokens on one side of a text, at most %d are supported", len(tokens), maxSpecial)
	}
	ids := make([]int32, len(tokens))
	for i, token := range tokens {
		if got := t.Token(token.id); got != token.content {
			return nil, fmt.Errorf("the special token %q has the id %d, which is %q in the vocabulary", token.content, token.id, got)
		}
		ids[i] = token.id
	}
	return ids, nil
}
