package train

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/klauspost/compress/zstd"

	"starling/embed/static/internal/token"
)

// maxLineBytes is how much of a line is read as one text; what follows is the
// next text.
const maxLineBytes = 1 << 20

// openSource opens a file of texts, unpacked by what its name ends with.
func openSource(path string) (io.ReadCloser, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	unpacked, err := unpack(path, file)
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("unpacking %s: %w", path, err)
	}
	return unpacked, nil
}

func unpack(path string, file *os.File) (io.ReadCloser, error) {
	switch {
	case strings.HasSuffix(path, ".gz"):
		text, err := gzip.NewReader(bufio.NewReader(file))
		if err != nil {
			return nil, err
		}
		return source{text, func() { file.Close() }}, nil
	case strings.HasSuffix(path, ".zst"):
		text, err := zstd.NewReader(file, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(256<<20))
		if err != nil {
			return nil, err
		}
		return source{text, func() { text.Close(); file.Close() }}, nil
	}
	return file, nil
}

// A source is an unpacked file.
type source struct {
	io.Reader
	close func()
}

func (s source) Close() error {
	s.close()
	return nil
}

// eachText calls use with the words and numbers of every line of a file that
// has any. The words are valid during the call.
func eachText(ctx context.Context, path string, use func(words []token.Token)) error {
	in, err := openSource(path)
	if err != nil {
		return err
	}
	defer in.Close()
	lines := bufio.NewReaderSize(in, maxLineBytes)
	var splitter token.Splitter
	var words []token.Token
	for {
		line, err := lines.ReadSlice('\n')
		if words = appendWords(words[:0], splitter.Split(string(line))); len(words) > 0 {
			use(words)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return fmt.Errorf("reading %s: %w", path, err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

func appendWords(words, tokens []token.Token) []token.Token {
	for _, t := range tokens {
		if t.Kind == token.Word || t.Kind == token.Number || t.Kind == token.Hashtag {
			words = append(words, t)
		}
	}
	return words
}
