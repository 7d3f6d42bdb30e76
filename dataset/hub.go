package dataset

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	hubEndpoint = "https://huggingface.co"
	emotionRepo = "dair-ai/emotion"
	// maxDownload is far more than the biggest file of the collection, 1 MB.
	maxDownload = 64 << 20
	// stallTimeout is how long the hub may stay silent.
	stallTimeout = time.Minute
)

var (
	errStalled = fmt.Errorf("nothing came for %v", stallTimeout)
	errOffline = errors.New("HF_HUB_OFFLINE is set")
)

// downloadEmotion returns the folder in the user's cache that holds the files
// of the splits, after fetching those that are missing.
func downloadEmotion(ctx context.Context, splits []string, progress func(done, total int64)) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding the cache folder: %w", err)
	}
	dir := filepath.Join(cache, "starling", "datasets", "emotion")
	h := newHub(progress)
	for _, split := range splits {
		name := "split/" + split + "-00000-of-00001.parquet"
		path := filepath.Join(dir, filepath.FromSlash(name))
		if _, err := os.Stat(path); err == nil {
			continue
		}
		if err := h.download(ctx, emotionRepo, name, path); err != nil {
			return "", fmt.Errorf("%w; to do without the hub, pass --data with a folder of the collection's files", err)
		}
	}
	return dir, nil
}

// A hub is the Hugging Face hub, or a mirror of it.
type hub struct {
	endpoint string // without a slash at the end
	token    string // for the endpoint's host alone; may be empty
	offline  bool
	progress func(done, total int64)
	// done and total are the bytes of all files so far.
	done, total int64
}

// newHub takes the settings from the variables that the hub's own tools use.
func newHub(progress func(done, total int64)) *hub {
	h := &hub{endpoint: hubEndpoint, token: os.Getenv("HF_TOKEN"), progress: progress}
	if e := os.Getenv("HF_ENDPOINT"); e != "" {
		h.endpoint = strings.TrimRight(e, "/")
	}
	switch strings.ToLower(os.Getenv("HF_HUB_OFFLINE")) {
	case "1", "true", "yes", "on":
		h.offline = true
	}
	if progress == nil {
		h.progress = func(int64, int64) {}
	}
	return h
}

// download writes the file name of a dataset repository to path, which comes
// to be only when the file is complete.
func (h *hub) download(ctx context.Context, repo, name, path string) error {
	url := h.endpoint + "/datasets/" + repo + "/resolve/main/" + name
	if h.offline {
		return fmt.Errorf("downloading %s: %w", url, errOffline)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stall := time.AfterFunc(stallTimeout, func() { cancel(errStalled) })
	defer stall.Stop()
	alive := func() { stall.Reset(stallTimeout) }
	if err := h.fetch(ctx, url, path, alive); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return fmt.Errorf("downloading %s: %w", url, err)
	}
	return nil
}

// fetch calls alive whenever something came.
func (h *hub) fetch(ctx context.Context, url, path string, alive func()) error {
	resp, sum, err := h.get(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	switch {
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("the hub answered %s", resp.Status)
	case resp.ContentLength > maxDownload:
		return fmt.Errorf("the file has %d bytes, over the limit of %d", resp.ContentLength, maxDownload)
	}
	h.total += max(resp.ContentLength, 0)
	h.progress(h.done, h.total)
	body := &meter{r: resp.Body, sum: sha256.New(), read: func(n int) {
		alive()
		h.done += int64(n)
		h.progress(h.done, max(h.done, h.total))
	}}
	return writeFile(path, func(w io.Writer) error { return body.copy(w, resp.ContentLength, sum) })
}

// get follows redirects and returns the last answer and the SHA-256 of the
// file in hexadecimal, if the hub stated it.
func (h *hub) get(ctx context.Context, url string) (resp *http.Response, sum string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, "", err
	}
	// A body packed on the way would have no length to check.
	req.Header.Set("Accept-Encoding", "identity")
	if h.token != "" {
		req.Header.Set("Authorization", "Bearer "+h.token)
	}
	client := &http.Client{CheckRedirect: func(next *http.Request, via []*http.Request) error {
		if len(via) >= 10 {
			return errors.New("more than 10 redirects")
		}
		if len(via) == 1 {
			sum = linkedSum(next.Response.Header)
		}
		if leftHost(next, via) {
			next.Header.Del("Authorization")
		}
		return nil
	}}
	resp, err = client.Do(req)
	if err == nil && sum == "" {
		sum = linkedSum(resp.Header)
	}
	return resp, sum, err
}

// leftHost says whether a chain of redirects has gone to another host, port or
// scheme than it began with, even if it has come back.
func leftHost(next *http.Request, via []*http.Request) bool {
	first := via[0].URL
	left := func(r *http.Request) bool { return r.URL.Host != first.Host || r.URL.Scheme != first.Scheme }
	return left(next) || slices.ContainsFunc(via, left)
}

// linkedSum returns the SHA-256 that the hub gives as the ETag of a file in
// large-file storage, or "".
func linkedSum(h http.Header) string {
	tag := strings.Trim(strings.TrimPrefix(h.Get("X-Linked-Etag"), "W/"), `"`)
	if b, err := hex.DecodeString(tag); err != nil || len(b) != sha256.Size {
		return ""
	}
	return strings.ToLower(tag)
}
