package filesource

import (
	"bufio"
	"fmt"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const (
	gzipMagic = "\x1f\x8b"
	zstdMagic = "\x28\xb5\x2f\xfd"
	// zstdWindow is the most memory that unpacking may take: what the zstd
	// command takes without --memory, and a little more.
	zstdWindow = 128 << 20
)

// unpacked undoes gzip and Zstandard, whatever the file is called.
func (g *generation) unpacked(r *bufio.Reader) (*bufio.Reader, error) {
	switch {
	case startsWith(r, gzipMagic):
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, fmt.Errorf("opening gzip: %w", err)
		}
		g.packed, g.unpack = true, func() { _ = z.Close() }
		return bufio.NewReaderSize(z, bufferBytes), nil
	case startsWith(r, zstdMagic):
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdWindow))
		if err != nil {
			return nil, fmt.Errorf("opening Zstandard: %w", err)
		}
		g.packed, g.unpack = true, z.Close
		return bufio.NewReaderSize(z, bufferBytes), nil
	}
	return r, nil
}

// startsWith says whether r begins with prefix, waiting for no more of it than that
// takes.
func startsWith(r *bufio.Reader, prefix string) bool {
	for n := 1; n <= len(prefix); n++ {
		head, err := r.Peek(n)
		if err != nil || string(head) != prefix[:n] {
			return false
		}
	}
	return true
}
