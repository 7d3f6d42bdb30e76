package wordpiece

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// An addedToken is found in the text before it is cut into words.
type addedToken struct {
	id      int32
	content string
	// singleWord is for one that is found between word boundaries only.
	singleWord bool
	// left and right are for one that takes the white space beside it along.
	left, right bool
	// normalised is for one that is found in the normalised text, by its own
	// content normalised.
	normalised bool
	special    bool
}

// maxAdded is the most added tokens.
const maxAdded = 1 << 16

// addedTokens finds added tokens in a text.
type addedTokens struct {
	tokens []addedToken
	// patterns holds what each of them looks like.
	patterns trie
	// first has the first bytes of the patterns.
	first [256]bool
	// only is that byte where there is one: "[" for the tokens of most models.
	only string
}

func (a *addedTokens) none() bool { return len(a.tokens) == 0 }

// newAddedTokens returns tokens that look like patterns. Of equal patterns the
// special token counts, else the earlier.
func newAddedTokens(tokens []addedToken, pattern func(addedToken) string) (addedTokens, error) {
	a := addedTokens{tokens: slices.Clone(tokens)}
	slices.SortStableFunc(a.tokens, func(a, b addedToken) int {
		switch {
		case a.special == b.special:
			return 0
		case a.special:
			return -1
		}
		return 1
	})
	patterns := make([]string, len(tokens))
	for i, token := range a.tokens {
		if patterns[i] = pattern(token); patterns[i] == "" {
			return addedTokens{}, fmt.Errorf("nothing is left of the added token %q when it is normalised", token.content)
		}
	}
	a.setFirst(patterns)
	var err error
	a.patterns, err = newTrie(patterns)
	return a, err
}

func (a *addedTokens) setFirst(patterns []string) {
	for i, p := range patterns {
		a.first[p[0]] = true
		switch {
		case i == 0:
			a.only = p[:1]
		case p[:1] != a.only:
			a.only = ""
		}
	}
}

// find returns the leftmost longest match in text from start on, as Aho and
// Corasick's automaton finds it; the token is nil where there is none.
func (a *addedTokens) find(text string, start int) (token *addedToken, from, end int) {
	for i := a.candidate(text, start); i < len(text); i = a.candidate(text, i+1) {
		if index, length := longest(&a.patterns, a.patterns.root(), text[i:]); length > 0 {
			return &a.tokens[index], i, i + length
		}
	}
	return nil, 0, 0
}

// candidate returns where the first byte of a pattern is from start on, or the
// length of text.
func (a *addedTokens) candidate(text string, start int) int {
	if a.only != "" {
		if i := strings.Index(text[start:], a.only); i >= 0 {
			return start + i
		}
		return len(text)
	}
	for start < len(text) && !a.first[text[start]] {
		start++
	}
	return start
}

// A splitter cuts a text at its added tokens.
type splitter struct {
	added *addedTokens
	text  string
	// done is where the last token ended, white space taken along, and searched
	// where the search goes on: the next may begin in that white space.
	done, searched int
}

// next returns where the text up to the next added token is, and the token's id;
// or the rest of the text.
func (s *splitter) next() (from, to int, id int32, found bool) {
	for {
		token, start, end := s.added.find(s.text, s.searched)
		if token == nil {
			return s.done, len(s.text), 0, false
		}
		s.searched = end
		if token.singleWord && !s.bounded(start, end) {
			continue
		}
		if token.left {
			start = len(strings.TrimRightFunc(s.text[:start], unicode.IsSpace))
		}
		from, to = s.done, max(s.done, start)
		s.done = end
		if token.right {
			s.done = len(s.text) - len(strings.TrimLeftFunc(s.text[end:], unicode.IsSpace))
		}
		return from, to, token.id, true
	}
}

// bounded reports whether no word goes on beyond the part of the text.
func (s *splitter) bounded(start, end int) bool {
	before, _ := utf8.DecodeLastRuneInString(s.text[:start])
	after, _ := utf8.DecodeRuneInString(s.text[end:])
	return !inIdentifier(before) && !inIdentifier(after)
}

// inIdentifier reports whether \w matches r as Unicode's UTS 18, annex C,
// defines it.
func inIdentifier(r rune) bool {
	return unicode.In(r, unicode.L, unicode.M, unicode.Nl, unicode.Nd, unicode.Pc,
		unicode.Other_Alphabetic, unicode.Join_Control)
}

// addTokens gives the vocabulary the added tokens that it lacks. Their ids go on
// where it ends.
func (v *vocabulary) addTokens(added []addedToken) error {
	if len(added) > maxAdded {
		return fmt.Errorf("%d added tokens, at most %d are supported", len(added), maxAdded)
	}
	seen := make(map[string]bool, len(added))
	for _, token := range added {
		if err := v.addToken(token, seen[token.content]); err != nil {
			return fmt.Errorf("added token %q: %w", token.content, err)
		}
		seen[token.content] = true
	}
	return nil
}

func (v *vocabulary) addToken(token addedToken, twice bool) error {
	if err := checkToken(token.content); err != nil {
		return err
	}
	if twice {
		return errors.New("it is there twice")
	}
	id, known := v.id(token.content)
	if !known {
		id = int32(len(v.tokens))
		v.tokens = append(v.tokens, token.content)
	}
	if token.id != id {
		return fmt.Errorf("its id is %d, want %d", token.id, id)
	}
	return nil
}
