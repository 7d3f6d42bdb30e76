package httpsource

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"time"

	"starling/broker/feed"
)

// A document is one of a request, not decoded yet.
type document struct {
	body   []byte
	format string // feed.JSON or feed.Text
}

// A requestError is what is wrong with a request.
type requestError struct {
	status int
	text   string
}

func (e *requestError) answer(w http.ResponseWriter) { refuse(w, e.status, e.text) }

var errTooLarge = &requestError{http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is longer than %d bytes", maxBody)}

func malformed(format string, args ...any) *requestError {
	return &requestError{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

// read returns the documents of a request.
func read(w http.ResponseWriter, r *http.Request) ([]document, *requestError) {
	body, failed := readBody(w, r)
	if failed != nil {
		return nil, failed
	}
	documents, failed := split(body, r.Header.Get("Content-Type"))
	switch {
	case failed != nil:
		return nil, failed
	case len(documents) == 0:
		return nil, malformed("there is no document in the body")
	}
	return documents, nil
}

// readBody reads the body, which has its own time to arrive.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, *requestError) {
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return nil, &requestError{http.StatusUnsupportedMediaType, "send the body without a Content-Encoding"}
	}
	connection := http.NewResponseController(w)
	_ = connection.SetReadDeadline(time.Now().Add(bodyTime)) // where that can be done
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	_ = connection.SetReadDeadline(time.Time{})
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, errTooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, &requestError{http.StatusRequestTimeout, "the body took too long to arrive"}
	case err != nil:
		return nil, malformed("the body did not arrive")
	}
	return body, nil
}

// split parts a body into documents.
func split(body []byte, contentType string) ([]document, *requestError) {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		kind = ""
	}
	switch kind {
	case "application/json":
		return values(body)
	case "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines":
		return lines(body, feed.JSON)
	case "text/plain":
		return lines(body, feed.Text)
	case "", "application/x-www-form-urlencoded", "application/octet-stream": // what clients send when nobody says
		if start := bytes.TrimLeft(body, " \t\r\n"); len(start) > 0 && (start[0] == '{' || start[0] == '[') {
			return values(body)
		}
		return lines(body, feed.Text)
	}
	return nil, &requestError{http.StatusUnsupportedMediaType,
		fmt.Sprintf("the Content-Type %.60q is none of application/json, application/x-ndjson and text/plain", kind)}
}

var errTooMany = &requestError{http.StatusRequestEntityTooLarge, fmt.Sprintf("there are more than %d documents; send them in several requests", maxDocuments)}

// lines parts a body into its lines that are not blank.
func lines(body []byte, format string) ([]document, *requestError) {
	var documents []document
	for line := range bytes.Lines(body) {
		line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if len(documents) == maxDocuments {
			return nil, errTooMany
		}
		documents = append(documents, document{line, format})
	}
	return documents, nil
}

// values parts a body into JSON values: the elements of an array, or what stands
// one after the other.
func values(body []byte) ([]document, *requestError) {
	in := json.NewDecoder(bytes.NewReader(body))
	if start := bytes.TrimLeft(body, " \t\r\n"); len(start) > 0 && start[0] == '[' {
		return elements(in)
	}
	return sequence(in)
}

func sequence(in *json.Decoder) ([]document, *requestError) {
	var documents []document
	for {
		var value json.RawMessage
		err := in.Decode(&value)
		switch {
		case errors.Is(err, io.EOF):
			return documents, nil
		case err != nil:
			return nil, notJSON(in, err)
		case len(documents) == maxDocuments:
			return nil, errTooMany
		}
		documents = append(documents, document{value, feed.JSON})
	}
}

func elements(in *json.Decoder) ([]document, *requestError) {
	if _, err := in.Token(); err != nil {
		return nil, notJSON(in, err)
	}
	var documents []document
	for in.More() {
		var value json.RawMessage
		if err := in.Decode(&value); err != nil {
			return nil, notJSON(in, err)
		}
		if len(documents) == maxDocuments {
			return nil, errTooMany
		}
		documents = append(documents, document{value, feed.JSON})
	}
	if _, err := in.Token(); err != nil {
		return nil, notJSON(in, err)
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return nil, malformed("something follows the array at byte %d", in.InputOffset())
	}
	return documents, nil
}

func notJSON(in *json.Decoder, err error) *requestError {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return malformed("the body is not JSON at byte %d: %v", in.InputOffset(), err)
}
