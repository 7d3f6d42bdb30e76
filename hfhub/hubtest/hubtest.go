// Package hubtest is a local server that behaves as the Hugging Face hub does,
// for tests: one host that describes files and holds the small ones, and
// another that stores the big ones.
//
//	server := hubtest.Start(t)
//	server.Put("models/org/name", "config.json", []byte("{}"))
//	hub := &hfhub.Hub{Endpoint: server.URL, Cache: t.TempDir()}
package hubtest

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // git names its blobs so
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A Server is the hub. Its fields may be set between requests.
type Server struct {
	// URL is the endpoint; Storage is the host that big files are on.
	URL, Storage string
	// Token is what a client must send, if it is not empty.
	Token string
	// CutAfter cuts each answer of the storage host after so many bytes.
	CutAfter int
	// NoRanges makes the storage host send whole files only.
	NoRanges bool

	mu           sync.Mutex
	intercept    func(w http.ResponseWriter, r *http.Request) bool
	repositories map[string]map[string][]byte
	requests     []Request
}

// A Request is one that came.
type Request struct {
	Method, Host, Path, Range, Authorization string
}

// Start runs a server until the test ends.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{repositories: map[string]map[string][]byte{}}
	hub := httptest.NewServer(s.handler(s.answer))
	storage := httptest.NewServer(s.handler(s.store))
	// Another name of the host, so that even the cookies would differ.
	s.URL, s.Storage = hub.URL, strings.Replace(storage.URL, "127.0.0.1", "localhost", 1)
	t.Cleanup(func() { hub.Close(); storage.Close() })
	return s
}

// Intercept lets answer see each request to both hosts first, one at a time. It
// may answer itself, and returns whether it did.
func (s *Server) Intercept(answer func(w http.ResponseWriter, r *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.intercept = answer
}

// Put makes content a file of a repository such as "models/ORG/NAME" or
// "datasets/ORG/NAME". Safetensors and Parquet files are in large-file storage.
func (s *Server) Put(repository, file string, content []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.repositories[repository] == nil {
		s.repositories[repository] = map[string][]byte{}
	}
	s.repositories[repository][file] = content
}

// Commit is the id of a repository's only commit, which depends on its files.
func (s *Server) Commit(repository string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.commit(repository)
}

func (s *Server) commit(repository string) string {
	sum := sha1.New() //nolint:gosec // as git does
	for _, file := range slices.Sorted(maps.Keys(s.repositories[repository])) {
		fmt.Fprintf(sum, "%s %s\n", file, Digest(file, s.repositories[repository][file]))
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// Requests are those that came so far.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Digest is what the hub has as a file's ETag: a SHA-256 or a git blob id.
func Digest(file string, content []byte) string {
	if isLarge(file) {
		sum := sha256.Sum256(content)
		return hex.EncodeToString(sum[:])
	}
	sum := sha1.New() //nolint:gosec // git names its blobs so
	fmt.Fprintf(sum, "blob %d\x00%s", len(content), content)
	return hex.EncodeToString(sum.Sum(nil))
}

func isLarge(file string) bool {
	return strings.HasSuffix(file, ".safetensors") || strings.HasSuffix(file, ".parquet")
}

func (s *Server) handler(answer http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.requests = append(s.requests, Request{r.Method, r.Host, r.URL.Path, r.Header.Get("Range"), r.Header.Get("Authorization")})
		if s.intercept == nil || !s.intercept(w, r) {
			answer(w, r)
		}
	})
}

// answer is what the hub's own host does.
func (s *Server) answer(w http.ResponseWriter, r *http.Request) {
	if s.Token != "" && r.Header.Get("Authorization") != "Bearer "+s.Token {
		Refuse(w, http.StatusUnauthorized, "GatedRepo", "Access to this model is restricted.")
		return
	}
	if rest, ok := strings.CutPrefix(r.URL.Path, "/api/resolve-cache/"); ok {
		s.serve(w, r, rest)
		return
	}
	if rest, ok := strings.CutPrefix(r.URL.Path, "/api/"); ok {
		repository, revision, _ := strings.Cut(rest, "/revision/")
		s.list(w, repository, revision)
		return
	}
	repository, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/resolve/")
	if !strings.HasPrefix(repository, "datasets/") {
		repository = "models/" + repository
	}
	revision, file, _ := strings.Cut(rest, "/")
	s.resolve(w, r, repository, revision, file)
}

// known refuses what does not exist.
func (s *Server) known(w http.ResponseWriter, repository, revision string) bool {
	switch {
	case s.repositories[repository] == nil:
		Refuse(w, http.StatusUnauthorized, "RepoNotFound", "Repository not found")
	case revision != "main" && revision != s.commit(repository):
		Refuse(w, http.StatusNotFound, "RevisionNotFound", "Invalid rev id: "+revision)
	default:
		return true
	}
	return false
}

func (s *Server) list(w http.ResponseWriter, repository, revision string) {
	if !s.known(w, repository, revision) {
		return
	}
	var siblings []map[string]string
	for _, file := range slices.Sorted(maps.Keys(s.repositories[repository])) {
		siblings = append(siblings, map[string]string{"rfilename": file})
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"id": repository, "sha": s.commit(repository), "siblings": siblings, "gated": false,
	})
}

// resolve redirects: big files to the storage host, small ones to a cache that
// is at the hub itself.
func (s *Server) resolve(w http.ResponseWriter, r *http.Request, repository, revision, file string) {
	if !s.known(w, repository, revision) {
		return
	}
	content, ok := s.repositories[repository][file]
	if !ok {
		Refuse(w, http.StatusNotFound, "EntryNotFound", "Entry not found")
		return
	}
	digest := Digest(file, content)
	w.Header().Set("X-Repo-Commit", s.commit(repository))
	if !isLarge(file) {
		http.Redirect(w, r, "/api/resolve-cache/"+path.Join(repository, s.commit(repository), file)+"?etag="+digest, http.StatusTemporaryRedirect)
		return
	}
	w.Header().Set("X-Linked-Etag", `"`+digest+`"`)
	w.Header().Set("X-Linked-Size", fmt.Sprint(len(content)))
	http.Redirect(w, r, s.Storage+"/"+path.Join(repository, file)+"?Signature=secret", http.StatusFound)
}

// serve sends a small file.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, rest string) {
	for repository, files := range s.repositories {
		file, ok := strings.CutPrefix(rest, repository+"/"+s.commit(repository)+"/")
		if content, found := files[file]; ok && found {
			w.Header().Set("ETag", `"`+Digest(file, content)+`"`)
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
			return
		}
	}
	Refuse(w, http.StatusNotFound, "EntryNotFound", "Entry not found")
}

// store is what the storage host does.
func (s *Server) store(w http.ResponseWriter, r *http.Request) {
	for repository, files := range s.repositories {
		file, ok := strings.CutPrefix(strings.TrimPrefix(r.URL.Path, "/"), repository+"/")
		content, found := files[file]
		if !ok || !found {
			continue
		}
		if s.NoRanges {
			r.Header.Del("Range")
		}
		if s.CutAfter > 0 {
			w = &cutter{w, s.CutAfter}
		}
		w.Header().Set("ETag", `"0123456789abcdef0123456789abcdef-2"`)
		http.ServeContent(w, r, "", time.Time{}, onlyReader{bytes.NewReader(content)})
		return
	}
	http.Error(w, "AccessDenied", http.StatusForbidden)
}

// onlyReader keeps ServeContent from going around the cutter.
type onlyReader struct{ io.ReadSeeker }

// A cutter drops the connection after so many bytes.
type cutter struct {
	http.ResponseWriter
	left int
}

func (c *cutter) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p[:min(len(p), c.left)])
	if c.left -= n; c.left == 0 {
		_ = http.NewResponseController(c.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, err
}

// Refuse answers with an error as the hub does.
func Refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("X-Error-Code", code)
	w.Header().Set("X-Error-Message", message)
	http.Error(w, message, status)
}
