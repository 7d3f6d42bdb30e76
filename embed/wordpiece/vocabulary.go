package wordpiece

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

const (
	// maxTokens is the most tokens of a vocabulary. LaBSE, the largest BERT in
	// wide use, has 501,153.
	maxTokens = 1 << 20
	// maxTokenBytes is the longest token.
	maxTokenBytes = 1 << 10
	// maxWordChars is the longest word that a model may want looked at.
	maxWordChars = 1 << 14
)

// A vocabulary covers words with tokens.
type vocabulary struct {
	tokens []string // by id
	trie   trie     // without the added tokens
	// continuation is the trie's node where tokens go on that are not the first
	// of their word: the one of the prefix "##".
	continuation uint32
	unknown      int32
	// maxWordChars is the length of the longest word that is looked at.
	maxWordChars int
}

// newVocabulary returns the vocabulary of tokens by id.
func newVocabulary(tokens []string, unknown, continuation string, wordChars int) (vocabulary, error) {
	if len(tokens) > maxTokens {
		return vocabulary{}, fmt.Errorf("the vocabulary has %d tokens, at most %d are supported", len(tokens), maxTokens)
	}
	for id, token := range tokens {
		if err := checkToken(token); err != nil {
			return vocabulary{}, fmt.Errorf("token %d: %w", id, err)
		}
	}
	if wordChars < 0 || wordChars > maxWordChars {
		return vocabulary{}, fmt.Errorf("max_input_chars_per_word is %d, 0 to %d are supported", wordChars, maxWordChars)
	}
	trie, err := newTrie(tokens)
	if err != nil {
		return vocabulary{}, err
	}
	v := vocabulary{tokens: tokens, trie: trie, continuation: trie.find(continuation), maxWordChars: wordChars}
	for id, token := range tokens {
		if first, _ := v.id(token); int(first) != id {
			return vocabulary{}, fmt.Errorf("tokens %d and %d are both %q", first, id, token)
		}
	}
	var ok bool
	if v.unknown, ok = v.id(unknown); !ok {
		return vocabulary{}, fmt.Errorf("the unknown token %q is not in the vocabulary", unknown)
	}
	return v, nil
}

func checkToken(token string) error {
	switch {
	case token == "":
		return errors.New("it is empty")
	case len(token) > maxTokenBytes:
		return fmt.Errorf("it has %d bytes, at most %d are supported", len(token), maxTokenBytes)
	case !utf8.ValidString(token):
		return fmt.Errorf("%q is not UTF-8", token)
	}
	return nil
}

// id returns the id of a token that is not an added one.
func (v *vocabulary) id(token string) (int32, bool) {
	id, length := longest(&v.trie, v.trie.root(), token)
	return id, length == len(token) && length > 0
}

// shorten returns word, or what makes it too long already.
func (v *vocabulary) shorten(word []byte) []byte {
	end := (v.maxWordChars + 1) * utf8.UTFMax
	if len(word) <= end {
		return word
	}
	for !utf8.RuneStart(word[end]) {
		end--
	}
	return word[:end]
}

// read appends the tokens that cover word.
func (v *vocabulary) read(o *output, word []byte) {
	if len(word) > v.maxWordChars && utf8.RuneCount(word) > v.maxWordChars {
		o.append(v.unknown)
		return
	}
	before, node := len(o.ids), v.trie.root()
	for len(word) > 0 {
		id, length := longest(&v.trie, node, word)
		if length == 0 {
			o.ids = o.ids[:before]
			o.append(v.unknown)
			return
		}
		o.append(id)
		word, node = word[length:], v.continuation
	}
}
