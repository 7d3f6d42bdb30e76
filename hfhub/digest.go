package hfhub

import (
	"crypto/sha1" //nolint:gosec // git names its blobs so
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"strings"
)

// errDamaged says that a file is not what the hub states it to be.
var errDamaged = errors.New("the content does not match the digest that the hub states")

// digestOf returns the digest that an ETag field of the hub is, in lower case:
// 64 hexadecimal digits are the SHA-256 of a file in large-file storage, 40 the
// id of a git blob. Anything else is "".
func digestOf(etag string) string {
	etag = strings.ToLower(strings.Trim(strings.TrimPrefix(etag, "W/"), `"`))
	if b, err := hex.DecodeString(etag); err != nil || len(b) != sha256.Size && len(b) != sha1.Size {
		return ""
	}
	return etag
}

// verify reads the file at path, compares it with a digest and returns its size.
func verify(path, digest string) (int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if !info.Mode().IsRegular() {
		return 0, fmt.Errorf("%s is not a file", path)
	}
	sum := newHash(digest, info.Size())
	if _, err := io.Copy(sum, f); err != nil {
		return 0, err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != digest {
		return 0, fmt.Errorf("%w: it is %s, not %s", errDamaged, got, digest)
	}
	return info.Size(), nil
}

// newHash begins the kind of digest that digest is of a file of size bytes.
func newHash(digest string, size int64) hash.Hash {
	if len(digest) == 2*sha256.Size {
		return sha256.New()
	}
	sum := sha1.New() //nolint:gosec // git names its blobs so
	fmt.Fprintf(sum, "blob %d\x00", size)
	return sum
}
