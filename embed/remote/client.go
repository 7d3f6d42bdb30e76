package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"starling/backoff"
)

const (
	// maxError bounds the answer that says why a request was refused, in bytes,
	// and maxShown what is shown of it.
	maxError = 16 << 10
	maxShown = 300
)

// A client sends requests to one server.
type client struct {
	address   address
	key       string // never to be shown
	http      *http.Client
	closeIdle func()
	timeout   time.Duration
	// slots has a place for each request that may be under way.
	slots chan struct{}
}

func newClient(a address, key string, o Options) *client {
	c := &client{address: a, key: key, http: &http.Client{}, closeIdle: func() {}, timeout: o.Timeout}
	c.slots = make(chan struct{}, o.Concurrency)
	if o.Client != nil {
		*c.http = *o.Client
	} else if transport, ok := http.DefaultTransport.(*http.Transport); ok {
		transport = transport.Clone()
		transport.MaxIdleConnsPerHost = o.Concurrency
		c.http.Transport, c.closeIdle = transport, transport.CloseIdleConnections
	}
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c
}

// A statusError is an answer that is not 200.
type statusError struct {
	status int
	// said is what the server says, preceded by a colon, or a hint.
	said string
}

func (e *statusError) Error() string {
	return fmt.Sprintf("it answers %d %s%s", e.status, http.StatusText(e.status), e.said)
}

// call sends a request, with body as JSON unless it is nil, and returns the
// answer, which has at most limit bytes. It is tried again as the policy says.
func (c *client) call(ctx context.Context, p backoff.Policy, path string, body any, limit int64) ([]byte, error) {
	var content []byte
	method := http.MethodGet
	if body != nil {
		var err error
		if content, err = encode(body); err != nil {
			return nil, err
		}
		method = http.MethodPost
	}
	var answer []byte
	err := p.Do(ctx, func(ctx context.Context) error {
		req, err := http.NewRequest(method, c.address.base.String()+path, bytes.NewReader(content))
		if err == nil {
			answer, err = c.send(ctx, req, limit)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("asking %s%s: %w", c.address.base, path, err)
	}
	return answer, nil
}

func encode(body any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(body)
	return b.Bytes(), err
}

// send is one try, when a slot is free.
func (c *client) send(ctx context.Context, req *http.Request, limit int64) ([]byte, error) {
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, fmt.Errorf("no answer within %v", c.timeout))
	defer cancel()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "starling")
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	resp, err := c.http.Do(req.WithContext(ctx))
	if err != nil {
		return nil, broken(ctx, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, c.refusal(resp)
	}
	answer, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	switch {
	case err != nil:
		return nil, broken(ctx, err)
	case int64(len(answer)) > limit:
		return nil, fmt.Errorf("the answer is longer than %d bytes", limit)
	}
	return answer, nil
}

// broken is the error of a connection that failed, which may work next time.
func broken(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	var inner *url.Error
	if errors.As(err, &inner) {
		err = inner.Err
	}
	return &backoff.LaterError{Err: err}
}

func (c *client) refusal(resp *http.Response) error {
	err := &statusError{status: resp.StatusCode, said: c.message(resp.Body)}
	switch code := resp.StatusCode; {
	case code >= 300 && code < 400:
		err.said = "; redirects are not followed: give the URL that it leads to"
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		err.said += "; set " + c.keyHint()
	case code == http.StatusNotFound:
		err.said += "; is the path of the URL right, and the model's name?"
	case backoff.Passing(code) || code == http.StatusFailedDependency:
		return &backoff.LaterError{Err: err, After: backoff.RetryAfter(resp.Header, time.Now())}
	}
	return err
}

func (c *client) keyHint() string {
	hint := KeyVariable
	if c.address.kind == openai {
		hint += " or " + OpenAIKeyVariable
	}
	if c.key == "" {
		return hint + " to the server's key"
	}
	return hint + " to another key"
}

// message returns what the server says of an error, after a colon.
func (c *client) message(body io.Reader) string {
	// If it breaks off, what came is enough.
	content, _ := io.ReadAll(io.LimitReader(body, maxError))
	words := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, errorText(content))
	if c.key != "" {
		words = strings.ReplaceAll(words, c.key, "(hidden)")
	}
	if words = strings.TrimSpace(words); words == "" {
		return ""
	}
	if len(words) > maxShown {
		words = strings.ToValidUTF8(words[:maxShown], "") + "..."
	}
	return ": " + words
}

// errorText finds the words in the several forms that servers give errors:
// {"error": {"message": ""}}, {"error": ""}, {"message": ""}, {"detail": ""}.
func errorText(content []byte) string {
	var fields map[string]json.RawMessage
	if json.Unmarshal(content, &fields) != nil {
		return string(content)
	}
	for _, name := range []string{"error", "message", "detail"} {
		var words string
		var inner struct {
			Message string `json:"message"`
		}
		switch value := fields[name]; {
		case json.Unmarshal(value, &words) == nil:
			return words
		case json.Unmarshal(value, &inner) == nil:
			return inner.Message
		}
	}
	return string(content)
}
