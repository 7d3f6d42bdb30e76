package rows

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
	zstdWindow  = 128 << 20
	bufferBytes = 64 << 10
)

// Unpack undoes gzip and Zstandard, by which r begins whatever the file is called.
// free frees what that takes; it is nil for what is not packed, which is r itself.
func Unpack(r *bufio.Reader) (unpacked *bufio.Reader, free func(), err error) {
	switch {
	case StartsWith(r, gzipMagic):
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, nil, fmt.Errorf("opening gzip: %w", err)
		}
		return bufio.NewReaderSize(z, bufferBytes), func() { _ = z.Close() }, nil
	case StartsWith(r, zstdMagic):
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdWindow))
		if err != nil {
			return nil, nil, fmt.Errorf("opening Zstandard: %w", err)
		}
		return bufio.NewReaderSize(z, bufferBytes), z.Close, nil
	}
	return r, nil, nil
}

// StartsWith says whether r begins with prefix, reading nothing of it, and waiting for
// no more of it than that takes.
func StartsWith(r *bufio.Reader, prefix string) bool {
	for n := 1; n <= len(prefix); n++ {
		head, err := r.Peek(n)
		if err != nil || string(head) != prefix[:n] {
			return false
		}
	}
	return true
}
