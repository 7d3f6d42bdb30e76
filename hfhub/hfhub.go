// Package hfhub is a client of the Hugging Face hub and its mirrors: it lists
// the files of a repository and downloads those that are wanted into the cache
// that the hub's own tools use, resumed where a download broke off and checked
// against the digests that the hub states.
//
//	hub, err := hfhub.FromEnvironment()
//	dir, err := hub.Snapshot(repository, "main") // never touches the network
//	dir, err = hub.Pull(ctx, hfhub.Request{Repository: repository, Choose: choose})
package hfhub

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"starling/backoff"
)

// DefaultEndpoint is the hub.
const DefaultEndpoint = "https://huggingface.co"

// stallTimeout is how long the hub may stay silent.
const stallTimeout = time.Minute

var (
	// ErrOffline says that HF_HUB_OFFLINE forbids a download.
	ErrOffline = errors.New("HF_HUB_OFFLINE is set: unset it to download")
	// ErrNotFound says that the hub has no such repository or revision, or hides
	// it from a client without the right token.
	ErrNotFound = errors.New("not on the hub")
	// ErrDenied says that the repository needs a token, or a better one.
	ErrDenied = errors.New("access denied")
	// ErrNotCached says that the cache has no such snapshot.
	ErrNotCached = errors.New("not in the cache")
)

// A Hub is the hub or a mirror of it, and the cache of what came from it. It is
// safe for use by several goroutines and processes at once.
type Hub struct {
	// Endpoint is the URL of the hub, without a slash at the end.
	Endpoint string
	// Token may be empty. It is sent to the endpoint alone.
	Token Token
	// Cache is the folder that holds models--ORG--NAME and its like.
	Cache string
	// Offline forbids downloads.
	Offline bool
	// Client sends the requests; nil is one of the hub's own. Its redirect rule
	// is not used, and its Timeout bounds the download of a file.
	Client *http.Client
	// Retry says what happens when the hub or the way to it fails.
	Retry backoff.Policy

	// stall replaces stallTimeout in tests.
	stall time.Duration
}

// A Token is secret: it prints as nothing but a note.
type Token string

func (Token) String() string { return "(hidden)" }

// GoString is for the format %#v.
func (t Token) GoString() string { return t.String() }

// MarshalText is for JSON and logs.
func (t Token) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// FromEnvironment takes the settings from the variables that the hub's own
// tools use: HF_ENDPOINT, HF_TOKEN or else the file token in HF_HOME,
// HF_HUB_CACHE or else the folder hub in HF_HOME, and HF_HUB_OFFLINE. HF_HOME is
// ~/.cache/huggingface unless set.
func FromEnvironment() (*Hub, error) {
	home, err := home()
	if err != nil {
		return nil, fmt.Errorf("finding the cache of the hub: %w; set HF_HOME to a folder", err)
	}
	h := &Hub{Endpoint: DefaultEndpoint, Cache: filepath.Join(home, "hub"), Offline: isTrue(os.Getenv("HF_HUB_OFFLINE"))}
	if dir := os.Getenv("HF_HUB_CACHE"); dir != "" {
		if h.Cache, err = expand(dir); err != nil {
			return nil, fmt.Errorf("reading HF_HUB_CACHE: %w", err)
		}
	}
	if endpoint := os.Getenv("HF_ENDPOINT"); endpoint != "" {
		h.Endpoint = strings.TrimRight(endpoint, "/")
	}
	if h.Token, err = readToken(home); err != nil {
		return nil, err
	}
	return h, h.check()
}

// check says what is wrong with the endpoint. It does not show it: it may hold
// a password.
func (h *Hub) check() error {
	u, err := url.Parse(h.Endpoint)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return errors.New("reading HF_ENDPOINT: it is not a URL such as " + DefaultEndpoint)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("reading HF_ENDPOINT: it has a user name, query or fragment; a token belongs into HF_TOKEN")
	}
	return nil
}

func home() (string, error) {
	if dir := os.Getenv("HF_HOME"); dir != "" {
		return expand(dir)
	}
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		cache = filepath.Join("~", ".cache")
	}
	dir, err := expand(cache)
	return filepath.Join(dir, "huggingface"), err
}

// expand replaces variables and a leading ~ in a path.
func expand(path string) (string, error) {
	path = os.ExpandEnv(path)
	rest, ok := strings.CutPrefix(filepath.ToSlash(path), "~/")
	if !ok && path != "~" {
		return path, nil
	}
	user, err := os.UserHomeDir()
	return filepath.Join(user, filepath.FromSlash(strings.TrimPrefix(rest, "~"))), err
}

func isTrue(value string) bool {
	switch strings.ToLower(value) {
	case "1", "true", "yes", "on":
		return true
	}
	return false
}

// readToken reads the token that is in HF_TOKEN or that the hub's login
// command left behind.
func readToken(home string) (Token, error) {
	if token := strings.TrimSpace(os.Getenv("HF_TOKEN")); token != "" {
		return checkToken(token, "HF_TOKEN")
	}
	path := filepath.Join(home, "token")
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		// Where the cache is shared, the token is somebody else's.
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading the hub's token: %w", err)
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxToken+1))
	if err != nil {
		return "", fmt.Errorf("reading the hub's token: %w", err)
	}
	return checkToken(strings.TrimSpace(string(content)), path)
}

const maxToken = 4096

func checkToken(token, where string) (Token, error) {
	bad := strings.IndexFunc(token, func(r rune) bool { return r <= ' ' || r > '~' })
	if len(token) > maxToken || bad >= 0 {
		return "", fmt.Errorf("reading the hub's token: %s does not hold one", where)
	}
	return Token(token), nil
}

func (h *Hub) stallTimeout() time.Duration { return cmp.Or(h.stall, stallTimeout) }
