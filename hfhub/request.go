package hfhub

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"starling/backoff"
)

const maxRedirects = 10

// An answer is a response of the hub and what the redirects on the way to it
// said about the file.
type answer struct {
	*http.Response
	// etag and size are those of the linked file, if a redirect stated them.
	etag, size string
}

// A session is one pull.
type session struct {
	*Hub
	client *http.Client
}

// open returns a session; close ends its idle connections.
func (h *Hub) open() (s *session, closeIdle func()) {
	client := &http.Client{}
	closeIdle = func() {}
	if h.Client != nil {
		*client = *h.Client
	} else if transport, ok := http.DefaultTransport.(*http.Transport); ok {
		transport = transport.Clone()
		client.Transport, closeIdle = transport, transport.CloseIdleConnections
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &session{h, client}, closeIdle
}

// send asks for address and follows redirects. The token goes to the endpoint
// alone, and no longer there once a redirect has led away from it. If a HEAD
// meets a redirect that describes the linked file, that is the answer.
func (s *session) send(ctx context.Context, method, address string, header http.Header) (*answer, error) {
	at, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	a := &answer{}
	trusted := s.Token != ""
	for range maxRedirects {
		trusted = trusted && s.isEndpoint(at)
		if a.Response, err = s.sendOnce(ctx, method, at, header, trusted); err != nil {
			return nil, err
		}
		if a.etag == "" {
			a.etag, a.size = a.Header.Get("X-Linked-Etag"), a.Header.Get("X-Linked-Size")
		}
		next, err := redirect(at, a.Response)
		if err != nil || next == nil || method == http.MethodHead && a.etag != "" {
			return a, err
		}
		at = next
	}
	return nil, fmt.Errorf("asking %s: more than %d redirects", place(at), maxRedirects)
}

func (s *session) sendOnce(ctx context.Context, method string, at *url.URL, header http.Header, trusted bool) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, at.String(), nil)
	if err != nil {
		return nil, err
	}
	for name, values := range header {
		req.Header[name] = values
	}
	req.Header.Set("User-Agent", "starling")
	// What is packed on the way has another length and digest.
	req.Header.Set("Accept-Encoding", "identity")
	if trusted {
		req.Header.Set("Authorization", "Bearer "+string(s.Token))
	}
	resp, err := s.client.Do(req)
	if err == nil {
		return resp, nil
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	// The error shows the whole URL, which may be a signed one.
	var inner *url.Error
	if errors.As(err, &inner) {
		err = inner.Err
	}
	return nil, &backoff.LaterError{Err: fmt.Errorf("asking %s: %w", place(at), err)}
}

// redirect returns where resp leads, or nil, and closes the body of one that
// leads elsewhere.
func redirect(from *url.URL, resp *http.Response) (*url.URL, error) {
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil, nil
	}
	_ = resp.Body.Close()
	next, err := from.Parse(resp.Header.Get("Location"))
	switch {
	case err != nil || next.Host == "" || next.Scheme != "https" && next.Scheme != "http":
		return nil, fmt.Errorf("asking %s: it redirects to what is not a web address", place(from))
	case from.Scheme == "https" && next.Scheme == "http":
		return nil, fmt.Errorf("asking %s: it redirects to %s, without encryption", place(from), place(next))
	}
	return next, nil
}

func (h *Hub) isEndpoint(at *url.URL) bool {
	endpoint, err := url.Parse(h.Endpoint)
	return err == nil && at.Scheme == endpoint.Scheme && at.Host == endpoint.Host
}

// place is an address without what may be secret in it.
func place(at *url.URL) string {
	return (&url.URL{Scheme: at.Scheme, Host: at.Host, Path: at.Path}).String()
}

// patiently calls try as the hub's policy says. A try has a context of its own,
// which ends when alive is not called for a while.
func (s *session) patiently(ctx context.Context, try func(ctx context.Context, alive func()) error) error {
	return s.Retry.Do(ctx, func(ctx context.Context) error {
		patience := s.stallTimeout()
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		stall := time.AfterFunc(patience, func() { cancel(fmt.Errorf("nothing came for %v", patience)) })
		defer stall.Stop()
		return try(ctx, func() { stall.Reset(patience) })
	})
}
