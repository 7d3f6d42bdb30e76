package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// lineFlags say what the lines on standard input are.
type lineFlags struct {
	modelFlags
	JSONLines bool `help:"Each line is a JSON string, so that texts may hold line ends."`
}

const (
	// maxLineBytes bounds a line of standard input: a text of the largest size
	// with every byte escaped, and the quotes.
	maxLineBytes = 6*(64<<10) + 2
	// linesAtATime is how many lines are worked on together at most.
	linesAtATime = 256
)

// batches reads lines and calls use with up to linesAtATime texts and the number
// of the first line. It waits for more lines only once it has passed on those
// that are there, so that a program may write a line and read the answer.
func (f lineFlags) batches(in io.Reader, use func(first int, texts []string) error) error {
	lines := bufio.NewReaderSize(in, maxLineBytes+2)
	var texts []string
	first := 1
	for {
		line, err := lines.ReadSlice('\n')
		atEnd := errors.Is(err, io.EOF)
		if err != nil && !atEnd {
			return atLine(first+len(texts), readError(err))
		}
		if !atEnd || len(line) > 0 {
			text, err := f.decode(line)
			if err != nil {
				return atLine(first+len(texts), err)
			}
			texts = append(texts, text)
		}
		if len(texts) > 0 && (atEnd || len(texts) == linesAtATime || !hasLine(lines)) {
			if err := use(first, texts); err != nil {
				return err
			}
			first += len(texts)
			texts = texts[:0]
		}
		if atEnd {
			return nil
		}
	}
}

// hasLine says whether a whole line can be read without waiting.
func hasLine(lines *bufio.Reader) bool {
	waiting, _ := lines.Peek(lines.Buffered()) // cannot fail: all of it is there
	return bytes.IndexByte(waiting, '\n') >= 0
}

func readError(err error) error {
	if errors.Is(err, bufio.ErrBufferFull) {
		return fmt.Errorf("longer than %d bytes", maxLineBytes)
	}
	return err
}

// decode returns the text of a line.
func (f lineFlags) decode(line []byte) (string, error) {
	line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
	if !utf8.Valid(line) {
		return "", errors.New("not valid UTF-8")
	}
	if !f.JSONLines {
		return string(line), nil
	}
	var text *string
	if err := json.Unmarshal(line, &text); err != nil {
		return "", fmt.Errorf("not a JSON string: %w", err)
	}
	if text == nil {
		return "", errors.New("not a JSON string but null")
	}
	return *text, nil
}

func atLine(number int, err error) error { return fmt.Errorf("line %d: %w", number, err) }
