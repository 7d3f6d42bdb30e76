package broker

import (
	"context"
	"errors"
	"net/url"

	"starling/broker/httpsource"
)

var errHTTPSource = errors.New("malformed URL of a source over HTTP: want http://HOST:PORT, the address to listen at, " +
	"such as http://127.0.0.1:8080; documents are then posted to http://HOST:PORT" + httpsource.Path)

func openHTTPSource(_ context.Context, text string, options SourceOptions) (*Source, error) {
	config, err := httpConfig(text, options)
	if err != nil {
		return nil, err
	}
	server, err := httpsource.Listen(config)
	if err != nil {
		return nil, err
	}
	return NewSource(server), nil
}

func checkHTTPSource(_ context.Context, text string, options SourceOptions) error {
	config, err := httpConfig(text, options)
	if err != nil {
		return err
	}
	return httpsource.Check(config)
}

func httpConfig(text string, options SourceOptions) (httpsource.Config, error) {
	u, err := url.Parse(text)
	if err != nil || u.Port() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" ||
		u.Path != "" && u.Path != "/" && u.Path != httpsource.Path {
		return httpsource.Config{}, errHTTPSource
	}
	return httpsource.Config{Address: u.Host, TokenFile: options.TokenFile}, nil
}
