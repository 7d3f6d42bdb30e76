package dataset

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
)

const (
	// maxLine is the longest line or record, in bytes.
	maxLine     = 1 << 20
	bufferBytes = 64 << 10
)

var errTooLong = errors.New("longer than 1 MiB")

// lines reads lines, without their ends (LF or CRLF) and without a byte order
// mark before the first.
type lines struct {
	r    *bufio.Reader
	line int64 // of the line read last
	long []byte
}

func newLines(r *bufio.Reader) *lines { return &lines{r: r} }

// next returns the next line, which is valid until the call after, and its
// number. A line over maxLine is passed over with a *rowError.
func (l *lines) next() ([]byte, int64, error) {
	line, err := l.read()
	if err != nil {
		return nil, l.line + 1, err
	}
	l.line++
	if line == nil {
		return nil, l.line, &rowError{errTooLong}
	}
	line = bytes.TrimSuffix(line, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	if l.line == 1 {
		line = bytes.TrimPrefix(line, []byte(utf8BOM))
	}
	return line, l.line, nil
}

// read returns a line with its end, nil for one that is too long.
func (l *lines) read() ([]byte, error) {
	part, err := l.r.ReadSlice('\n')
	if err == nil || errors.Is(err, io.EOF) && len(part) > 0 {
		return part, nil
	}
	if !errors.Is(err, bufio.ErrBufferFull) {
		return nil, err
	}
	l.long = append(l.long[:0], part...)
	tooLong := false
	for errors.Is(err, bufio.ErrBufferFull) {
		part, err = l.r.ReadSlice('\n')
		if tooLong = tooLong || len(l.long)+len(part) > maxLine; !tooLong {
			l.long = append(l.long, part...)
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if tooLong {
		return nil, nil
	}
	return l.long, nil
}

// filled returns the next line that is not blank.
func (l *lines) filled() ([]byte, int64, error) {
	for {
		line, n, err := l.next()
		if err != nil || len(bytes.TrimSpace(line)) > 0 {
			return line, n, err
		}
	}
}

// A textDecoder reads a text a line.
type textDecoder struct{ lines *lines }

func (d *textDecoder) next() (Item, int64, error) {
	line, n, err := d.lines.filled()
	return Item{Text: string(line)}, n, err
}

// A textLabelDecoder reads lines of text;label.
type textLabelDecoder struct{ lines *lines }

func (d *textLabelDecoder) next() (Item, int64, error) {
	line, n, err := d.lines.filled()
	if err != nil {
		return Item{}, n, err
	}
	i := bytes.LastIndexByte(line, ';')
	if i < 0 {
		return Item{}, n, badRow("no semicolon before a label")
	}
	return Item{Text: string(line[:i]), Label: strings.TrimSpace(string(line[i+1:]))}, n, nil
}
