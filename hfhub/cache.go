package hfhub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
)

// The layout of the cache (https://huggingface.co/docs/hub/local-cache), as all
// the hub's tools have it:
//
//	models--ORG--NAME/refs/main                 the id of a commit
//	models--ORG--NAME/snapshots/COMMIT/FILE     a link to a blob, or a copy of it
//	models--ORG--NAME/blobs/DIGEST              the content
//	models--ORG--NAME/.no_exist/COMMIT/FILE     empty: the commit has no such file
//	.locks/models--ORG--NAME/DIGEST.lock        held by who downloads the blob

func (h *Hub) folder(r Repository) string { return filepath.Join(h.Cache, r.Folder()) }

func (h *Hub) snapshot(r Repository, commit string) string {
	return filepath.Join(h.folder(r), "snapshots", commit)
}

// Snapshot returns the folder of a repository's files at a revision (a branch,
// a tag or a commit; main if empty) as the cache has them: it need not be
// complete. It never touches the network. The error wraps [ErrNotCached] and
// says what is missing.
func (h *Hub) Snapshot(r Repository, revision string) (string, error) {
	commit, err := h.cachedCommit(r, revision)
	if err != nil {
		return "", err
	}
	dir := h.snapshot(r, commit)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return "", fmt.Errorf("%w: there is no folder %s", ErrNotCached, dir)
	}
	return dir, nil
}

// cachedCommit returns the commit that a revision was when it was downloaded.
func (h *Hub) cachedCommit(r Repository, revision string) (string, error) {
	if revision == "" {
		revision = DefaultRevision
	}
	if err := errors.Join(r.Check(), checkRevision(revision)); err != nil {
		return "", err
	}
	path := filepath.Join(h.folder(r), "refs", filepath.FromSlash(revision))
	f, err := os.Open(path)
	if err != nil {
		if isCommit(revision) {
			return revision, nil
		}
		return "", fmt.Errorf("%w: there is no file %s", ErrNotCached, path)
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, 256))
	commit := strings.TrimSpace(string(content))
	if err != nil || !commitPattern.MatchString(commit) {
		return "", fmt.Errorf("%w: %s does not name a commit", ErrNotCached, path)
	}
	return commit, nil
}

// isCommit says whether a revision is the id of a commit and not a name.
func isCommit(revision string) bool {
	hexadecimal := strings.Trim(revision, "0123456789abcdef") == ""
	return hexadecimal && (len(revision) == 40 || len(revision) == 64)
}

// KnownAbsent says whether the cache remembers that the commit of the snapshot
// dir has no such file.
func KnownAbsent(dir, file string) bool {
	_, err := os.Stat(absentMark(dir, file))
	return err == nil
}

func absentMark(dir, file string) string {
	repository := filepath.Dir(filepath.Dir(dir))
	return filepath.Join(repository, ".no_exist", filepath.Base(dir), filepath.FromSlash(file))
}

func markAbsent(dir, file string) error { return writeFile(absentMark(dir, file), "") }

// lock waits until no one else downloads the blob, by the file that the hub's
// own tools lock too. The operating system unlocks it when the process ends.
func (h *Hub) lock(ctx context.Context, r Repository, digest string) (unlock func() error, err error) {
	path := filepath.Join(h.Cache, ".locks", r.Folder(), digest+".lock")
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, err
	}
	lock := flock.New(path, flock.SetPermissions(0o666))
	if _, err := lock.TryLockContext(ctx, 50*time.Millisecond); err != nil {
		return nil, fmt.Errorf("waiting for %s: %w", path, err)
	}
	return lock.Close, nil
}

// temporaries makes the names of temporary files differ within the process.
var temporaries atomic.Int64

func temporary(path string) string {
	return path + "." + strconv.Itoa(os.Getpid()) + "." + strconv.FormatInt(temporaries.Add(1), 10) + ".tmp"
}

// link makes the snapshot's file lead to the blob, or be a copy of it where the
// system has no links for us.
func link(blob, file string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return err
	}
	// Relative, so that the cache can be moved.
	target, err := filepath.Rel(filepath.Dir(file), blob)
	if err != nil {
		return err
	}
	made := temporary(blob)
	if err := os.Symlink(target, made); err != nil {
		if err := copyFile(blob, made); err != nil {
			return errors.Join(err, os.Remove(made))
		}
	}
	return os.Rename(made, file)
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

// writeFile makes a small file at once or not at all.
func writeFile(path, content string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	made := temporary(path)
	if err := os.WriteFile(made, []byte(content), 0o666); err != nil {
		return err
	}
	return os.Rename(made, path)
}
