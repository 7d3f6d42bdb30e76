package remote

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"strings"
)

// A kind is what a server speaks.
type kind string

const (
	openai kind = "openai"
	tei    kind = "tei"
)

// The variables that hold a key.
const (
	KeyVariable       = "STARLING_REMOTE_KEY"
	OpenAIKeyVariable = "OPENAI_API_KEY"
)

// An address is a server and the model wanted from it.
type address struct {
	kind kind
	// base is what the endpoints are below: scheme, host and a path without a
	// slash at the end.
	base *url.URL
	// model is what openai servers are asked for.
	model string
}

// String is the address as it was given, in one of several ways to write it.
func (a address) String() string {
	s := string(a.kind) + "+" + a.base.String()
	if a.model != "" {
		s += "?model=" + url.QueryEscape(a.model)
	}
	return s
}

const usage = "a remote model is openai+https://HOST/v1?model=NAME or tei+http://HOST:PORT"

// parseAddress reads the name of a remote model. Errors do not show it: it may
// hold what should be secret.
func parseAddress(name string) (address, error) {
	u, err := url.Parse(name)
	if err != nil {
		return address{}, errors.New("the model's name is not a URL; " + usage)
	}
	scheme, transport, _ := strings.Cut(u.Scheme, "+")
	a := address{kind: kind(scheme), base: &url.URL{Scheme: transport, Host: strings.ToLower(u.Host), Path: strings.TrimRight(u.Path, "/")}}
	switch {
	case a.kind != openai && a.kind != tei || transport != "http" && transport != "https":
		return address{}, fmt.Errorf("the scheme %.40q is not known; %s", u.Scheme, usage)
	case u.User != nil || u.Fragment != "":
		return address{}, fmt.Errorf("a remote model's URL has no user name, password or fragment: a key belongs into %s", KeyVariable)
	case u.Hostname() == "":
		return address{}, errors.New("the model's URL has no host; " + usage)
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return address{}, errors.New("the model's URL has a query that cannot be read; " + usage)
	}
	if err := a.readQuery(query); err != nil {
		return address{}, err
	}
	if a.kind == openai && a.base.Path == "" {
		a.base.Path = "/v1"
	}
	return a, nil
}

func (a *address) readQuery(query url.Values) error {
	for name := range query {
		switch {
		case name == "model" && a.kind == openai:
		case isSecret(name):
			return fmt.Errorf("a remote model's URL holds no key: it belongs into the variable %s", KeyVariable)
		default:
			return fmt.Errorf("a remote model's URL has an unknown parameter %.40q; %s", name, usage)
		}
	}
	if a.kind != openai {
		return nil
	}
	if len(query["model"]) != 1 || query.Get("model") == "" {
		return errors.New("an openai URL names one model: ...?model=NAME")
	}
	a.model = query.Get("model")
	return nil
}

// isSecret says whether a parameter of that name is likely to hold a key.
func isSecret(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{"key", "token", "secret", "password", "auth", "credential", "sig"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// key returns the key for the server, if there is one.
func (a address) key() (string, error) {
	variable := KeyVariable
	key := strings.TrimSpace(os.Getenv(variable))
	if key == "" && a.kind == openai && (a.base.Scheme == "https" || a.isLocal()) {
		variable = OpenAIKeyVariable
		key = strings.TrimSpace(os.Getenv(variable))
	}
	if strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", fmt.Errorf("the variable %s does not hold a key: it has characters that a key cannot have", variable)
	}
	return key, nil
}

// isLocal says whether the server is on this machine.
func (a address) isLocal() bool {
	host := a.base.Hostname()
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
