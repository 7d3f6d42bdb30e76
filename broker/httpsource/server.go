package httpsource

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	"golang.org/x/net/netutil"
)

// Path is where a server takes documents.
const Path = "/api/documents"

const (
	headerTime     = 10 * time.Second
	idleTime       = 2 * time.Minute
	maxHeaderBytes = 16 << 10
	// maxConnections bounds the clients at a time; others wait to be accepted.
	maxConnections = 1024
	// minTokenBytes and maxTokenBytes bound a token.
	minTokenBytes, maxTokenBytes = 16, 4096
)

// Config says where a server listens and who may post.
type Config struct {
	// Address is HOST:PORT, HOST an IP address or localhost; without a host it is
	// all addresses of the machine.
	Address string
	// TokenFile holds the token that requests must bring as
	// "Authorization: Bearer TOKEN": 16 to 4096 bytes, without the space around
	// them. Empty for none, with which the address must be of this machine only.
	TokenFile string
}

// A Server is a Handler with a server of its own.
type Server struct {
	*Handler
	server *http.Server
	ended  chan error
	addr   net.Addr
}

// Listen starts a server. Closing it answers the requests that there are.
func Listen(c Config) (*Server, error) {
	guard, err := newGuard(c)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", c.Address)
	if err != nil {
		return nil, fmt.Errorf("listening for documents: %w", err)
	}
	handler := NewHandler()
	mux := http.NewServeMux()
	mux.Handle(Path, handler)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusNotFound, "documents are posted to "+Path)
	})
	guard.next = mux
	s := &Server{Handler: handler, ended: make(chan error, 1), addr: listener.Addr()}
	s.server = &http.Server{
		Handler: guard, ReadHeaderTimeout: headerTime, IdleTimeout: idleTime, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: slog.NewLogLogger(slog.Default().Handler(), slog.LevelInfo),
	}
	go func() { s.ended <- s.server.Serve(netutil.LimitListener(listener, maxConnections)) }()
	return s, nil
}

// Check says what is wrong with a configuration. It does not listen: whoever waits
// for the address to be there would take that for the server.
func Check(c Config) error {
	_, err := newGuard(c)
	return err
}

// Addr returns where the server listens.
func (s *Server) Addr() net.Addr { return s.addr }

// Close implements [feed.Feed]: it returns when all requests are answered, or ends
// them when ctx is done.
func (s *Server) Close(ctx context.Context) error {
	s.Stop(ctx)
	err := s.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("requests are not answered: %w", err), s.server.Close())
	}
	if ended := <-s.ended; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}

// A guard lets through who may post.
type guard struct {
	next http.Handler
	// token is the digest of the token that is asked for; nil for none.
	token *[sha256.Size]byte
}

func newGuard(c Config) (*guard, error) {
	host, _, err := net.SplitHostPort(c.Address)
	if err != nil {
		return nil, fmt.Errorf("listening for documents: %w", err)
	}
	if c.TokenFile == "" {
		if !isLoopback(host) {
			return nil, fmt.Errorf("listening for documents at %s: others can reach it and could post; "+
				"give --token-file, or listen at 127.0.0.1", c.Address)
		}
		return &guard{}, nil
	}
	token, err := readToken(c.TokenFile)
	if err != nil {
		return nil, fmt.Errorf("reading the token: %w", err)
	}
	digest := sha256.Sum256(token)
	return &guard{token: &digest}, nil
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

func readToken(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxTokenBytes+64))
	if err != nil {
		return nil, err
	}
	token := strings.TrimSpace(string(data))
	if len(token) < minTokenBytes || len(token) > maxTokenBytes {
		return nil, fmt.Errorf("%s holds a token of %d bytes, want %d to %d", path, len(token), minTokenBytes, maxTokenBytes)
	}
	return []byte(token), nil
}

// ServeHTTP refuses requests without the token or, where there is none, those that
// a page of the web may have had sent by giving its own name this machine's
// address (DNS rebinding): their Host is a name.
func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case g.token != nil && !g.knows(r):
		w.Header().Set("WWW-Authenticate", `Bearer realm="starling"`)
		refuse(w, http.StatusUnauthorized, "send the token as Authorization: Bearer TOKEN")
	case g.token == nil && !namesAddress(r.Host):
		refuse(w, http.StatusForbidden, "the Host must be localhost or an address")
	default:
		g.next.ServeHTTP(w, r)
	}
}

func (g *guard) knows(r *http.Request) bool {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	digest := sha256.Sum256([]byte(strings.TrimSpace(token)))
	return strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare(digest[:], g.token[:]) == 1
}

// namesAddress says whether a Host is an IP address or localhost.
func namesAddress(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	_, err := netip.ParseAddr(host)
	return err == nil || strings.EqualFold(host, "localhost")
}
