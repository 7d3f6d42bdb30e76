package transformer

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"starling/embed/internal/jsonfile"
	"starling/embed/wordpiece"
)

// An input turns a text into token ids.
type input struct {
	tokenizer *wordpiece.Tokenizer
	prefix    string
	lower     bool // the text is made lower-case before the tokenizer sees it
	maxTokens int  // special tokens included
}

// readInput reads what a model's folder says of texts, and its tokenizer from
// the folder of the Transformer module.
func readInput(root, dir, prefix string, c config) (input, error) {
	in := input{prefix: prefix}
	if err := in.readLength(dir, c.positions); err != nil {
		return in, err
	}
	var err error
	if in.prefix == "" {
		if in.prefix, err = defaultPrompt(root); err != nil {
			return in, err
		}
	}
	if in.tokenizer, err = wordpiece.Load(dir); err != nil {
		return in, err
	}
	if n := in.tokenizer.VocabSize(); n != c.vocab {
		return in, fmt.Errorf("the vocabulary in %s has %d tokens, but vocab_size in %s is %d", dir, n, configName, c.vocab)
	}
	if special := len(in.tokenizer.Encode(nil, "", in.maxTokens)); special > in.maxTokens {
		return in, fmt.Errorf("the tokenizer in %s puts %d special tokens around a text, but the model takes %d in all", dir, special, in.maxTokens)
	}
	return in, nil
}

// append appends the ids of a text to ids.
func (in input) append(ids []int32, text string) []int32 {
	if in.prefix != "" {
		text = in.prefix + text
	}
	if in.lower {
		text = strings.ToLower(text)
	}
	return in.tokenizer.Encode(ids, text, in.maxTokens)
}

// lengthNames are the files that sentence-transformers looks for a length in,
// in this order.
var lengthNames = []string{"sentence_bert_config.json", "sentence_distilbert_config.json"}

const tokenizerConfigName = "tokenizer_config.json"

// readLength sets maxTokens and lower from the files of a Transformer module.
// The length is max_seq_length of the first of lengthNames; where that says
// nothing, model_max_length of tokenizer_config.json. The limits that
// tokenizer.json names do not count. No text is longer than the model's
// positions.
func (in *input) readLength(dir string, positions int) error {
	in.maxTokens = positions
	for _, name := range lengthNames {
		path := filepath.Join(dir, name)
		object, err := jsonfile.Read(path, maxConfigBytes)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		limit := 0
		if err := errors.Join(object.Get("max_seq_length", &limit), object.Get("do_lower_case", &in.lower)); err != nil {
			return fmt.Errorf("reading %s: %w", path, err)
		}
		if limit == 0 {
			break // null
		}
		return in.limit(path, "max_seq_length", float64(limit))
	}
	return in.readTokenizerLength(dir)
}

func (in *input) readTokenizerLength(dir string) error {
	path := filepath.Join(dir, tokenizerConfigName)
	object, err := jsonfile.Read(path, maxConfigBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	limit := float64(in.maxTokens) // 1e30 stands for no limit
	if err := object.Get("model_max_length", &limit); err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	return in.limit(path, "model_max_length", limit)
}

// limit lowers maxTokens to a limit found in a file. A text has at least the
// two special tokens.
func (in *input) limit(path, field string, limit float64) error {
	if limit < 2 {
		return fmt.Errorf("reading %s: %s is %v, want 2 or more", path, field, limit)
	}
	in.maxTokens = int(min(float64(in.maxTokens), limit))
	return nil
}

// promptsName is the file of a folder that holds its prompts.
const promptsName = "config_sentence_transformers.json"

// defaultPrompt returns what the folder wants put before every text.
func defaultPrompt(dir string) (string, error) {
	path := filepath.Join(dir, promptsName)
	object, err := jsonfile.Read(path, maxConfigBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	var name string
	if err := object.Get("default_prompt_name", &name); err != nil || name == "" {
		return "", err
	}
	var prompts map[string]string
	if err := object.Get("prompts", &prompts); err != nil {
		return "", fmt.Errorf("reading %s: %w", path, err)
	}
	prompt, ok := prompts[name]
	if !ok {
		return "", fmt.Errorf("reading %s: default_prompt_name is %q, which is not in prompts", path, name)
	}
	return prompt, nil
}
