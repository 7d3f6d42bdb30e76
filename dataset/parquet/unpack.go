package parquet

import (
	"bytes"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
)

// codecs names the codecs of the format; see [unpacker.unpack] for those read.
var codecs = []string{"none", "Snappy", "gzip", "LZO", "Brotli", "LZ4", "Zstandard", "LZ4 raw"}

const (
	codecNone   = 0
	codecSnappy = 1
	codecGzip   = 2
	codecZstd   = 6
)

// An unpacker undoes the compression of pages. The zero value is ready.
type unpacker struct {
	zstd *zstd.Decoder
}

// unpack returns the size bytes, at most maxPageBytes, that packed holds. A
// page that holds more or fewer is an error, found without holding more.
func (u *unpacker) unpack(codec int64, packed []byte, size int) ([]byte, error) {
	if len(packed) == 0 && size == 0 {
		return nil, nil // a page of nulls alone
	}
	var page []byte
	var err error
	switch codec {
	case codecNone:
		page = packed
	case codecSnappy:
		page, err = unpackSnappy(packed, size)
	case codecGzip:
		page, err = unpackGzip(packed, size)
	case codecZstd:
		page, err = u.unpackZstd(packed)
	default:
		return nil, fmt.Errorf("pages are packed with %s; none, Snappy, gzip and Zstandard can be read", codecName(codec))
	}
	if err != nil {
		return nil, fmt.Errorf("%w: unpacking %s: %w", errFormat, codecName(codec), err)
	}
	if len(page) != size {
		return nil, fmt.Errorf("%w: the page unpacks to another size than the %d bytes stated", errFormat, size)
	}
	return page, nil
}

func codecName(codec int64) string {
	if codec >= 0 && codec < int64(len(codecs)) {
		return codecs[codec]
	}
	return fmt.Sprintf("codec %d", codec)
}

func unpackSnappy(packed []byte, size int) ([]byte, error) {
	n, err := snappy.DecodedLen(packed)
	if err != nil {
		return nil, err
	}
	if n != size {
		return nil, fmt.Errorf("a block of %d bytes in a page of %d", n, size)
	}
	return snappy.Decode(nil, packed)
}

func unpackGzip(packed []byte, size int) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	page, err := io.ReadAll(io.LimitReader(r, int64(size)+1))
	if err != nil {
		return nil, err
	}
	return page, r.Close()
}

func (u *unpacker) unpackZstd(packed []byte) ([]byte, error) {
	if u.zstd == nil {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxPageBytes))
		if err != nil {
			return nil, err
		}
		u.zstd = d
	}
	return u.zstd.DecodeAll(packed, nil)
}
