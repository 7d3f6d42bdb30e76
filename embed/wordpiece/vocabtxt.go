package wordpiece

import (
	"errors"
	"fmt"
	"io/fs"
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
	data, err := jsonfile.ReadBounded(path, maxFileBytes)
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

// configure sets the normaliser.
func (d *vocabDescription) configure(config jsonfile.Object) error {
	class, basic := "", true
	d.steps = steps{clean: true, ideographs: true, lower: true}
	if err := errors.Join(
		config.Get("tokenizer_class", &class),
		config.Get("do_basic_tokenize", &basic),
		config.Get("tokenize_chinese_chars", &d.steps.ideographs),
		config.Get("do_lower_case", &d.steps.lower),
	); err != nil {
		return err
	}
	d.steps.accents = d.steps.lower
	if err := config.Get("strip_accents", &d.steps.accents); err != nil {
		return err
	}
	switch {
	case !slices.Contains(bertClasses, class):
		return fmt.Errorf("tokenizer_class %q is not supported without a %s, want %q", class, tokenizerFile, bertClasses[1:])
	case !basic:
		return errors.New("do_basic_tokenize false is not supported")
	}
	return nil
}
