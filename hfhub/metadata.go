package hfhub

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// unknownSize is the size of a file that the hub does not tell.
const unknownSize = -1

// metadata is what the hub says of a file.
type metadata struct {
	// digest is the file's SHA-256 or the id of its git blob.
	digest string
	// size is in bytes; it may be unknownSize.
	size int64
}

// fileURL is where a file is at a commit.
func (h *Hub) fileURL(r Repository, commit, file string) string {
	return h.Endpoint + r.resolve() + commit + "/" + (&url.URL{Path: file}).EscapedPath()
}

// escape makes one segment of a URL's path.
func escape(revision string) string { return url.PathEscape(revision) }

// describeFile asks for the digest and size of a file.
func (s *session) describeFile(ctx context.Context, address, file string) (metadata, error) {
	var m metadata
	err := s.patiently(ctx, func(ctx context.Context, _ func()) error {
		a, err := s.send(ctx, http.MethodHead, address, nil)
		if err != nil {
			return fmt.Errorf("asking about %s: %w", file, err)
		}
		defer func() { _ = a.Body.Close() }()
		if a.StatusCode >= http.StatusBadRequest || a.etag == "" && a.StatusCode != http.StatusOK {
			return s.refusal("asking about "+file, a.Response)
		}
		m, err = a.metadata(file)
		return err
	})
	return m, err
}

// metadata reads the answer to a HEAD request, which is a redirect to the
// linked file or describes a file that the hub itself holds.
func (a *answer) metadata(file string) (metadata, error) {
	etag := cmp.Or(a.etag, a.Header.Get("ETag"))
	m := metadata{digest: digestOf(etag), size: unknownSize}
	if m.digest == "" {
		return m, fmt.Errorf("asking about %s: the ETag %.80q is neither a SHA-256 nor a git blob id, so that the file could not be checked; is HF_ENDPOINT right?", file, etag)
	}
	size := a.size
	if a.etag == "" {
		size = a.Header.Get("Content-Length")
	}
	if size == "" {
		return m, nil
	}
	n, err := strconv.ParseInt(size, 10, 64)
	switch {
	case err != nil || n < 0:
		return m, fmt.Errorf("asking about %s: the size %.80q is not a number", file, size)
	case n > maxSize(file):
		return m, fmt.Errorf("asking about %s: it has %d bytes, over the limit of %d", file, n, maxSize(file))
	}
	m.size = n
	return m, nil
}

// maxSize bounds a file: weights may be big, all else is text or small.
func maxSize(file string) int64 {
	if strings.HasSuffix(file, ".safetensors") {
		return 32 << 30
	}
	return 256 << 20
}
