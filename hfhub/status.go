package hfhub

import (
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"

	"starling/backoff"
)

// maxMessage bounds what of the hub's own words is shown, in bytes.
const maxMessage = 200

// refusal returns the error for an answer that is not the one hoped for. what
// is being done names what it is about.
//
// The hub answers 401 for what does not exist too, lest it tell what is
// private; the field X-Error-Code tells more.
func (h *Hub) refusal(what string, resp *http.Response) error {
	code := resp.Header.Get("X-Error-Code")
	said := h.message(resp)
	switch {
	case code == "GatedRepo":
		return fmt.Errorf("%s: %w: it is gated%s; accept its terms on its page at %s, then %s", what, ErrDenied, said, h.Endpoint, h.tokenHint())
	case code == "RevisionNotFound":
		return fmt.Errorf("%s: %w: it has no such revision", what, ErrNotFound)
	case code == "EntryNotFound":
		return fmt.Errorf("%s: %w: it has no such file", what, ErrNotFound)
	case code == "RepoNotFound" || resp.StatusCode == http.StatusNotFound:
		return fmt.Errorf("%s: %w: there is no such repository at %s; if it is private, %s", what, ErrNotFound, h.Endpoint, h.tokenHint())
	case resp.StatusCode == http.StatusUnauthorized:
		return fmt.Errorf("%s: %w (%s%s): it does not exist, or is private or gated: then %s", what, ErrDenied, resp.Status, said, h.tokenHint())
	case resp.StatusCode == http.StatusForbidden:
		return fmt.Errorf("%s: %w (%s%s): %s", what, ErrDenied, resp.Status, said, h.tokenHint())
	}
	err := fmt.Errorf("%s: the hub answers %s%s", what, resp.Status, said)
	if backoff.Passing(resp.StatusCode) {
		return &backoff.LaterError{Err: err, After: backoff.RetryAfter(resp.Header, time.Now())}
	}
	return err
}

func (h *Hub) tokenHint() string {
	if h.Token == "" {
		return "set HF_TOKEN to a token that may read it"
	}
	return "set HF_TOKEN to another token: the one in use may not read it"
}

// message returns the hub's own words after a colon, if there are some, without
// the token, should it be echoed.
func (h *Hub) message(resp *http.Response) string {
	words := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, resp.Header.Get("X-Error-Message"))
	if h.Token != "" {
		words = strings.ReplaceAll(words, string(h.Token), h.Token.String())
	}
	if words = strings.TrimSpace(strings.ToValidUTF8(words, "")); words == "" {
		return ""
	}
	if len(words) > maxMessage {
		words = strings.ToValidUTF8(words[:maxMessage], "") + "..."
	}
	return ": " + words
}
