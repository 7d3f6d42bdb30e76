package token

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// A Splitter splits texts into tokens. The zero value is ready. It is not safe
// for use by several goroutines.
type Splitter struct {
	buf    []byte // the folded text, which the tokens point into
	tokens []Token
}

// Split returns the tokens of text, in order. They are valid until the next
// call. The time is linear in the length of text. Invalid UTF-8 separates
// tokens.
func (s *Splitter) Split(text string) []Token {
	s.reset(text)
	for pos := 0; pos < len(s.buf); {
		pos = s.next(pos)
	}
	return s.tokens
}

// Characters returns each character of text that is not white space as a
// token: what is left of a text without tokens. They are valid until the next
// call.
func (s *Splitter) Characters(text string) []Token {
	s.reset(text)
	for pos := 0; pos < len(s.buf); {
		r, size := utf8.DecodeRune(s.buf[pos:])
		if !unicode.IsSpace(r) {
			s.emit(Character, s.buf[pos:pos+size])
		}
		pos += size
	}
	return s.tokens
}

func (s *Splitter) reset(text string) {
	s.buf = appendFolded(s.buf[:0], text)
	s.tokens = s.tokens[:0]
}

func (s *Splitter) emit(kind Kind, text []byte) {
	s.tokens = append(s.tokens, Token{kind, text})
}

// next reads what begins at pos, emits it if it is a token, and returns the
// position after it.
func (s *Splitter) next(pos int) int {
	r, size, c := s.at(pos)
	switch {
	case c == digit:
		return s.number(pos)
	case c == letter:
		if end := s.link(pos); end > pos {
			return end
		}
		return s.word(pos)
	case c == ideograph:
		s.emit(Ideograph, s.buf[pos:pos+size])
	case c == symbol:
		return s.symbol(pos, r, size)
	case r == '#':
		return s.name(Hashtag, pos+1)
	case r == '@' && !s.wordBefore(pos):
		return s.name(Mention, pos+1)
	}
	return pos + size
}

// at returns the character at pos, its length in bytes and its class.
func (s *Splitter) at(pos int) (rune, int, class) {
	if pos >= len(s.buf) {
		return utf8.RuneError, 0, other
	}
	if b := s.buf[pos]; b < utf8.RuneSelf {
		return rune(b), 1, asciiClass[b]
	}
	r, size := utf8.DecodeRune(s.buf[pos:])
	return r, size, classOf(r)
}

// word reads a run of letters, digits and marks and drops the apostrophes
// inside it, moving the rest of the word down in the buffer.
func (s *Splitter) word(start int) int {
	pos, end := start, start
	for {
		r, size, c := s.at(pos)
		switch {
		case c == letter || c == digit || c == mark:
			copy(s.buf[end:], s.buf[pos:pos+size])
			end += size
		case r == '\'' && s.letterAt(pos+1):
			// Dropped.
		default:
			s.emit(Word, s.buf[start:end])
			return pos
		}
		pos += size
	}
}

// number reads a run of digits with dots and commas inside. A run that letters
// follow, as in 3d or 19th, is a word.
func (s *Splitter) number(start int) int {
	pos := s.skipDigits(start)
	if _, _, c := s.at(pos); c == letter || c == mark {
		return s.word(start)
	}
	for pos+1 < len(s.buf) && (s.buf[pos] == '.' || s.buf[pos] == ',') {
		end := s.skipDigits(pos + 1)
		if end == pos+1 {
			break
		}
		pos = end
	}
	s.emit(Number, s.buf[start:pos])
	return pos
}

func (s *Splitter) skipDigits(pos int) int {
	for {
		_, size, c := s.at(pos)
		if c != digit {
			return pos
		}
		pos += size
	}
}

// name reads what follows # or @. A name without a letter is none: the digits
// of "#1" are a number.
func (s *Splitter) name(kind Kind, start int) int {
	pos, letters := start, false
	for {
		r, size, c := s.at(pos)
		if c != letter && c != digit && c != mark && c != ideograph && r != '_' {
			break
		}
		letters = letters || c == letter || c == ideograph
		pos += size
	}
	if !letters {
		return start
	}
	s.emit(kind, s.buf[start:pos])
	return pos
}

var linkPrefixes = [][]byte{[]byte("http://"), []byte("https://"), []byte("www.")}

// link reads a link and emits its host. It returns start where none begins.
func (s *Splitter) link(start int) int {
	rest := s.buf[start:]
	if rest[0] != 'h' && rest[0] != 'w' {
		return start
	}
	for _, prefix := range linkPrefixes {
		if !bytes.HasPrefix(rest, prefix) {
			continue
		}
		host := hostOf(rest[len(prefix):])
		if len(host) == 0 {
			return start
		}
		s.emit(Link, host)
		if end := bytes.IndexFunc(rest, unicode.IsSpace); end >= 0 {
			return start + end
		}
		return len(s.buf)
	}
	return start
}

// hostOf returns the leading host name of address, without www.
func hostOf(address []byte) []byte {
	address = bytes.TrimPrefix(address, []byte("www."))
	end := bytes.IndexFunc(address, func(r rune) bool {
		return r != '.' && r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	if end >= 0 {
		address = address[:end]
	}
	return bytes.Trim(address, ".-")
}

// symbol reads an emoji, or the two regional indicators of a flag.
func (s *Splitter) symbol(start int, r rune, size int) int {
	end := start + size
	if isRegionalIndicator(r) {
		if second, n, _ := s.at(end); isRegionalIndicator(second) {
			end += n
		}
	}
	s.emit(Symbol, s.buf[start:end])
	return end
}

func (s *Splitter) letterAt(pos int) bool {
	_, _, c := s.at(pos)
	return c == letter
}

// wordBefore reports whether a word ends at pos, as in an e-mail address.
func (s *Splitter) wordBefore(pos int) bool {
	r, _ := utf8.DecodeLastRune(s.buf[:pos])
	c := classOf(r)
	return pos > 0 && (c == letter || c == digit || c == mark)
}
