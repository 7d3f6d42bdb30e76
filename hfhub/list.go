package hfhub

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// maxListing bounds the description of a repository, in bytes: some hold a
// hundred thousand files.
const maxListing = 32 << 20

// A Listing is what a repository holds at one commit.
type Listing struct {
	// Commit is the id of the commit.
	Commit string
	// Files are the paths of all files, with slashes. They are as the hub gave
	// them and may be anything.
	Files []string
}

// description is the part of the hub's answer that matters here.
type description struct {
	Commit string `json:"sha"`
	Files  []struct {
		Path string `json:"rfilename"`
	} `json:"siblings"`
}

// list asks which files the repository has at a revision.
func (s *session) list(ctx context.Context, r Repository, revision string) (Listing, error) {
	var listing Listing
	err := s.patiently(ctx, func(ctx context.Context, _ func()) error {
		d, err := s.describe(ctx, r, revision)
		if err != nil {
			return err
		}
		listing = Listing{Commit: d.Commit}
		for _, file := range d.Files {
			listing.Files = append(listing.Files, file.Path)
		}
		return nil
	})
	return listing, err
}

func (s *session) describe(ctx context.Context, r Repository, revision string) (description, error) {
	what := fmt.Sprintf("listing %s at %s", r.Name, revision)
	var d description
	a, err := s.send(ctx, http.MethodGet, s.Endpoint+r.api()+"/revision/"+escape(revision), nil)
	if err != nil {
		return d, fmt.Errorf("%s: %w", what, err)
	}
	defer func() { _ = a.Body.Close() }()
	if a.StatusCode != http.StatusOK {
		return d, s.refusal(what, a.Response)
	}
	body, err := readAll(a.Body, maxListing)
	if err != nil {
		return d, fmt.Errorf("%s: %w", what, err)
	}
	if err := json.Unmarshal(body, &d); err != nil {
		return d, fmt.Errorf("%s: the answer is not what a hub gives: %w; is HF_ENDPOINT right?", what, err)
	}
	if !commitPattern.MatchString(d.Commit) {
		return d, fmt.Errorf("%s: the answer names no commit (field sha); is HF_ENDPOINT right?", what)
	}
	return d, nil
}

// readAll reads a body of at most limit bytes. One that breaks off may come
// whole another time.
func readAll(r io.Reader, limit int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, later(err)
	}
	if int64(len(body)) > limit {
		return nil, fmt.Errorf("the answer is longer than %d bytes", limit)
	}
	return body, nil
}
