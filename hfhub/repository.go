package hfhub

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
)

// A Kind is what a repository holds.
type Kind string

// The kinds of repositories. Their values are parts of paths and URLs.
const (
	Models   Kind = "models"
	Datasets Kind = "datasets"
)

// A Repository is a model or a dataset on the hub.
type Repository struct {
	Kind Kind
	// Name is like sentence-transformers/all-MiniLM-L6-v2.
	Name string
}

// DefaultRevision is the branch that is used unless another one is named.
const DefaultRevision = "main"

// namePart is half of a repository's name.
var namePart = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,95}$`)

// Check says what is wrong with the name. The hub allows letters, digits and
// single "-", "_" and "." between them.
func (r Repository) Check() error {
	org, name, ok := strings.Cut(r.Name, "/")
	if !ok || !namePart.MatchString(org) || !namePart.MatchString(name) ||
		strings.Contains(r.Name, "--") || strings.Contains(r.Name, "..") {
		return fmt.Errorf("%q is not the name of a repository, which is like sentence-transformers/all-MiniLM-L6-v2", r.Name)
	}
	return nil
}

// Folder is the repository's folder in a cache.
func (r Repository) Folder() string {
	return string(r.Kind) + "--" + strings.ReplaceAll(r.Name, "/", "--")
}

// api is the path of what describes the repository.
func (r Repository) api() string { return "/api/" + string(r.Kind) + "/" + r.Name }

// resolve is the path of the repository's files.
func (r Repository) resolve() string {
	if r.Kind == Models {
		return "/" + r.Name + "/resolve/"
	}
	return "/" + string(r.Kind) + "/" + r.Name + "/resolve/"
}

// revisionPattern is a branch, a tag or a commit; "refs/pr/1" is a branch too.
var revisionPattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*$`)

func checkRevision(revision string) error {
	if len(revision) > 200 || !revisionPattern.MatchString(revision) || strings.Contains(revision, "..") {
		return fmt.Errorf("%.200q is not a branch, tag or commit", revision)
	}
	return nil
}

// commitPattern is what the cache names a snapshot after: a commit's id, which
// need not be hexadecimal on every mirror.
var commitPattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_-]{0,127}$`)

// checkFile refuses the names that lead out of a folder, or that only some
// systems can hold.
func checkFile(name string) error {
	bad := func(r rune) bool { return r < ' ' || r == 0x7f || strings.ContainsRune(`\:*?"<>|`, r) }
	if len(name) > 255 || strings.ContainsFunc(name, bad) || !filepath.IsLocal(filepath.FromSlash(name)) ||
		filepath.ToSlash(filepath.Clean(filepath.FromSlash(name))) != name || name == "." {
		return fmt.Errorf("%w: %.255q", errFileName, name)
	}
	return nil
}

var errFileName = errors.New("the hub lists a file under a name that is not safe to use")
