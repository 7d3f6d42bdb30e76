// Package rows reads lines, and the rows of CSV and TSV, from a stream of any
// length. What is wrong with one row does not stop the reading of the next:
//
//	table := rows.NewTable(rows.NewLines(reader), ',')
//	header, _, err := table.ReadHeader()
//	for {
//		fields, line, err := table.Next()
//		var bad *rows.Error
//		if errors.As(err, &bad) { // report the line and go on
//			continue
//		}
//	}
package rows

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

const (
	// MaxBytes is the longest line or row.
	MaxBytes = 1 << 20
	// BOM is the byte order mark that some programs put before UTF-8.
	BOM = "\xef\xbb\xbf"
)

// ErrTooLong is that a line is longer than MaxBytes.
var ErrTooLong = errors.New("longer than 1 MiB")

// An Error is about one row; those behind it can be read.
type Error struct{ Err error }

func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns what is wrong with the row.
func (e *Error) Unwrap() error { return e.Err }

// Errorf returns an Error.
func Errorf(format string, args ...any) error { return &Error{fmt.Errorf(format, args...)} }

// A Position is how far a stream is read.
type Position struct {
	Line   int64 // lines
	Offset int64 // bytes
}

// Lines reads lines, without their ends (LF or CRLF) and without a byte order
// mark before the first.
type Lines struct {
	r    *bufio.Reader
	at   Position
	long []byte
}

// NewLines returns a reader of the lines of r.
func NewLines(r *bufio.Reader) *Lines { return &Lines{r: r} }

// Resume returns a reader of the lines of r, which goes on at a position.
func Resume(r *bufio.Reader, at Position) *Lines { return &Lines{r: r, at: at} }

// At is the position behind the line read last.
func (l *Lines) At() Position { return l.at }

// Next returns the next line, which is valid until the call after, and its
// number. A line over MaxBytes is passed over with an *Error; io.EOF at the end
// is bare.
func (l *Lines) Next() ([]byte, int64, error) {
	line, err := l.read()
	if err != nil {
		return nil, l.at.Line + 1, err
	}
	l.at.Line++
	if line == nil {
		return nil, l.at.Line, &Error{ErrTooLong}
	}
	line = bytes.TrimSuffix(line, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	if l.at.Line == 1 {
		line = bytes.TrimPrefix(line, []byte(BOM))
	}
	return line, l.at.Line, nil
}

// read returns a line with its end, nil for one that is too long.
func (l *Lines) read() ([]byte, error) {
	part, err := l.r.ReadSlice('\n')
	if err == nil || errors.Is(err, io.EOF) && len(part) > 0 {
		l.at.Offset += int64(len(part))
		return part, nil
	}
	if !errors.Is(err, bufio.ErrBufferFull) {
		return nil, err
	}
	size := int64(len(part))
	l.long = append(l.long[:0], part...)
	tooLong := false
	for errors.Is(err, bufio.ErrBufferFull) {
		part, err = l.r.ReadSlice('\n')
		size += int64(len(part))
		if tooLong = tooLong || len(l.long)+len(part) > MaxBytes; !tooLong {
			l.long = append(l.long, part...)
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	l.at.Offset += size
	if tooLong {
		return nil, nil
	}
	return l.long, nil
}

// Filled returns the next line that is not blank.
func (l *Lines) Filled() ([]byte, int64, error) {
	for {
		line, n, err := l.Next()
		if err != nil || len(bytes.TrimSpace(line)) > 0 {
			return line, n, err
		}
	}
}
