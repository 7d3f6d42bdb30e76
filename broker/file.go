package broker

import (
	"context"
	"errors"
	"net/url"
	"os"
	"strings"

	"starling/broker/filesource"
)

// fileScheme begins the URLs of files, which need no slashes.
const fileScheme = "file:"

var errFileURL = errors.New("malformed URL of a file: want file:PATH, file:///PATH, or - for standard input")

var errFileTopic = errors.New("a file is read and not published to; what --print json prints can be written to one")

// IsFile says whether the URL of a source is that of a file or standard input.
func IsFile(url string) bool { return url == filesource.Stdin || strings.HasPrefix(url, fileScheme) }

func openFileSource(_ context.Context, text string, options SourceOptions) (*Source, error) {
	config, err := fileConfig(text, options)
	if err != nil {
		return nil, err
	}
	file, err := filesource.Open(config)
	if err != nil {
		return nil, err
	}
	return NewSource(file), nil
}

func openFileTopic(context.Context, string) (*Topic, error) { return nil, errFileTopic }

func checkFileSource(_ context.Context, text string, options SourceOptions) error {
	config, err := fileConfig(text, options)
	if err != nil {
		return err
	}
	return filesource.Check(config)
}

func fileConfig(text string, options SourceOptions) (filesource.Config, error) {
	path, err := filePath(text)
	return filesource.Config{
		Path: path, Stdin: os.Stdin, Format: filesource.Format(options.FileFormat), TextColumn: options.TextField,
		Follow: options.Follow, Positions: options.Positions,
	}, err
}

// filePath returns the path that a URL names: what follows file: as it is, or the
// path of a URL in full.
func filePath(text string) (string, error) {
	if text == filesource.Stdin {
		return text, nil
	}
	path := strings.TrimPrefix(text, fileScheme)
	if strings.HasPrefix(path, "//") {
		u, err := url.Parse(text)
		if err != nil || u.Host != "" && u.Host != "localhost" || u.RawQuery != "" || u.Fragment != "" {
			return "", errFileURL
		}
		path = u.Path
	}
	if path == "" || path == filesource.Stdin {
		return "", errFileURL
	}
	return path, nil
}
