// Package webhook publishes messages to a web server by POST:
//
//	topic, err := webhook.Open(webhook.Config{URL: "https://host/path", HeaderFile: "secret"})
//	err = topic.Publish(ctx, []webhook.Message{{Body: update, JSON: true}})
//
// A request has one or more messages in its body, in their order, as JSON lines
// (application/x-ndjson): one object a line. An update is the object that
// [starling.Update] describes, with its number in "update" and its document's id in
// "id", by which the server knows again what comes twice. A message that is a plain
// text is the object {"id": ..., "text": ..., "attributes": {...}}, which package
// httpsource takes.
//
// One request is answered before the next is sent. 2xx says that the server has the
// messages. After 408, 425, 429, 5xx, or no answer, the same request is sent again,
// with the same Idempotency-Key, not before the time that Retry-After asks for.
// Anything else is [ErrRefused]: trying again would not help. A redirection is not
// followed, so that secrets go nowhere else.
package webhook

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"os"
	"slices"
	"time"

	"starling/backoff"
)

const (
	// maxBody bounds the body of a request, unless one message is longer, and
	// maxMessages what is in it.
	maxBody     = 1 << 20
	maxMessages = 256
	// answerTime is how long a request may take.
	answerTime = 30 * time.Second
	// maxAnswer bounds what is read of an answer, which nobody looks at.
	maxAnswer = 64 << 10
	// maxHeaderFile bounds a file of header fields, in bytes.
	maxHeaderFile = 16 << 10
)

// ErrRefused says that the server will not take the messages, however often they
// are sent.
var ErrRefused = errors.New("the server refuses what is published")

// Config says where messages are sent.
type Config struct {
	// URL is http:// or https://. A user and a password in it are sent as basic
	// authentication.
	URL string
	// HeaderFile holds header fields for every request, "Name: value" a line, such
	// as a secret that the server asks for; empty for none.
	HeaderFile string
}

// A Message is one message to publish.
type Message struct {
	Body       []byte
	Attributes map[string]string
	// JSON says that Body is a JSON object, which is sent as it is.
	JSON bool
}

// A Topic sends messages to one URL.
type Topic struct {
	url    *url.URL
	header http.Header
	client *http.Client
	policy backoff.Policy
}

var errURL = errors.New("malformed URL of a webhook: want https://HOST/PATH or http://HOST/PATH")

// Open reads the configuration. It sends nothing yet.
func Open(c Config) (*Topic, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Fragment != "" {
		return nil, errURL
	}
	header, err := readHeader(c.HeaderFile)
	if err != nil {
		return nil, fmt.Errorf("reading the header fields of a webhook: %w", err)
	}
	client := &http.Client{
		Transport:     http.DefaultTransport.(*http.Transport).Clone(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       answerTime,
	}
	return &Topic{url: u, header: header, client: client, policy: backoff.Policy{Tries: 3, First: 200 * time.Millisecond}}, nil
}

func readHeader(path string) (http.Header, error) {
	if path == "" {
		return http.Header{}, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	end := bytes.NewReader([]byte("\r\n\r\n"))
	fields, err := textproto.NewReader(bufio.NewReader(io.MultiReader(io.LimitReader(file, maxHeaderFile), end))).ReadMIMEHeader()
	if err != nil || len(fields) == 0 {
		return nil, fmt.Errorf("%s: want lines of the form Name: value", path) // and say nothing of what it holds
	}
	return http.Header(fields), nil
}

// Check says whether the server can be reached. It sends no request.
func (t *Topic) Check(ctx context.Context) error {
	port := t.url.Port()
	if port == "" {
		port = t.url.Scheme
	}
	dialer := net.Dialer{Timeout: 5 * time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(t.url.Hostname(), port))
	if err != nil {
		return fmt.Errorf("reaching the webhook at %s: %w", t.url.Host, err)
	}
	return conn.Close()
}

// Close frees the connections.
func (t *Topic) Close() { t.client.CloseIdleConnections() }

// Publish sends messages in their order and returns when the server has them all.
// It tries a request three times. After an error some may have arrived.
func (t *Topic) Publish(ctx context.Context, messages []Message) error {
	var body []byte
	n := 0
	for _, m := range messages {
		line, err := encode(m)
		if err != nil {
			return err
		}
		if n == maxMessages || n > 0 && len(body)+len(line) > maxBody {
			if err := t.send(ctx, body); err != nil {
				return err
			}
			body, n = nil, 0
		}
		body = append(append(body, line...), '\n')
		n++
	}
	if n == 0 {
		return nil
	}
	return t.send(ctx, body)
}

// encode returns the line of a message.
func encode(m Message) ([]byte, error) {
	if m.JSON {
		var line bytes.Buffer
		err := json.Compact(&line, m.Body)
		return line.Bytes(), err
	}
	attributes := maps.Clone(m.Attributes)
	delete(attributes, "id")
	return json.Marshal(struct {
		ID         string            `json:"id,omitempty"`
		Text       string            `json:"text"`
		Attributes map[string]string `json:"attributes,omitempty"`
	}{m.Attributes["id"], string(m.Body), attributes})
}

// send sends one request until it is answered for good.
func (t *Topic) send(ctx context.Context, body []byte) error {
	digest := sha256.Sum256(body)
	key := hex.EncodeToString(digest[:16])
	return t.policy.Do(ctx, func(ctx context.Context) error { return t.try(ctx, body, key) })
}

func (t *Topic) try(ctx context.Context, body []byte, key string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url.String(), bytes.NewReader(body))
	if err != nil {
		return errURL
	}
	request.Header = t.header.Clone()
	request.Header.Set("Content-Type", "application/x-ndjson")
	request.Header.Set("Idempotency-Key", key)
	request.Header.Set("User-Agent", "starling")
	if hosts := t.header["Host"]; len(hosts) > 0 {
		request.Host = hosts[0]
	}
	answer, err := t.client.Do(request)
	if err != nil {
		var within *url.Error
		if errors.As(err, &within) {
			err = within.Err // it shows the whole URL
		}
		return &backoff.LaterError{Err: fmt.Errorf("posting to %s: %w", t.url.Host, err)}
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, maxAnswer)) // so that the connection can be used again
	return t.judge(answer)
}

// passing are the statuses below 500 after which a request is sent again.
var passing = []int{http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests}

// judge says what an answer means.
func (t *Topic) judge(answer *http.Response) error {
	status := answer.StatusCode
	said := fmt.Errorf("%s answers %d %s", t.url.Host, status, http.StatusText(status))
	switch {
	case status >= 200 && status <= 299:
		return nil
	case status >= 500 || slices.Contains(passing, status):
		return &backoff.LaterError{Err: said, After: backoff.RetryAfter(answer.Header, time.Now())}
	case status >= 300 && status <= 399:
		return fmt.Errorf("%w: %w, a redirection, which is not followed; publish to the address it leads to", ErrRefused, said)
	}
	return fmt.Errorf("%w: %w", ErrRefused, said)
}
