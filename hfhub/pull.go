package hfhub

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// A Request says what to download.
type Request struct {
	Repository Repository
	// Revision is a branch, a tag or a commit; main if empty.
	Revision string
	// Choose returns those of the repository's files that are wanted. An error
	// ends the pull before anything is downloaded.
	Choose func(files []string) ([]string, error)
	// Optional are files whose absence is noted in the cache, so that it can be
	// told from a download that did not get to them; see [KnownAbsent].
	Optional []string
	// Check looks at the complete snapshot before the revision is made to name
	// it. It may be nil.
	Check func(dir string) error
	// Progress is told how many bytes of a file are there; total is -1 if it is
	// not known. It may be nil.
	Progress func(file string, done, total int64)
}

// maxFiles bounds how many files are downloaded.
const maxFiles = 1000

// Pull downloads what the cache lacks, and what is damaged there, and returns
// the snapshot's folder. If it is interrupted, the next pull goes on where it
// was, and until then [Hub.Snapshot] returns what it returned before. Pulls of
// the same files, in this process or others, wait for each other.
func (h *Hub) Pull(ctx context.Context, q Request) (string, error) {
	if q.Revision == "" {
		q.Revision = DefaultRevision
	}
	if err := errors.Join(h.check(), q.Repository.Check(), checkRevision(q.Revision)); err != nil {
		return "", err
	}
	if h.Offline {
		return "", fmt.Errorf("downloading %s: %w", q.Repository.Name, ErrOffline)
	}
	s, closeIdle := h.open()
	defer closeIdle()
	dir, err := s.pull(ctx, q)
	if err != nil {
		return "", fmt.Errorf("downloading %s: %w", q.Repository.Name, err)
	}
	return dir, nil
}

func (s *session) pull(ctx context.Context, q Request) (string, error) {
	listing, err := s.list(ctx, q.Repository, q.Revision)
	if err != nil {
		return "", err
	}
	files, err := q.choose(listing.Files)
	if err != nil {
		return "", err
	}
	dir := s.snapshot(q.Repository, listing.Commit)
	for _, file := range files {
		if err := s.pullFile(ctx, q, listing.Commit, file); err != nil {
			return "", err
		}
	}
	for _, file := range q.Optional {
		if slices.Contains(listing.Files, file) {
			continue
		}
		if err := markAbsent(dir, file); err != nil {
			return "", err
		}
	}
	if q.Check != nil {
		if err := q.Check(dir); err != nil {
			return "", err
		}
	}
	if q.Revision == listing.Commit {
		return dir, nil
	}
	ref := filepath.Join(s.folder(q.Repository), "refs", filepath.FromSlash(q.Revision))
	return dir, writeFile(ref, listing.Commit)
}

// choose returns the files that are wanted, each of which has a safe name.
func (q Request) choose(all []string) ([]string, error) {
	files, err := q.Choose(all)
	if err != nil {
		return nil, err
	}
	if len(files) == 0 || len(files) > maxFiles {
		return nil, fmt.Errorf("%d of its %d files are wanted; there should be 1 to %d", len(files), len(all), maxFiles)
	}
	for _, file := range files {
		if err := checkFile(file); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// pullFile begins anew when the hub changes its mind about a file, or when what
// came in pieces does not fit together.
func (s *session) pullFile(ctx context.Context, q Request, commit, file string) error {
	const tries = 3
	for try := 1; ; try++ {
		again, err := s.pullOnce(ctx, q, commit, file)
		if err == nil || !again || try == tries {
			return err
		}
	}
}

func (s *session) pullOnce(ctx context.Context, q Request, commit, file string) (again bool, err error) {
	address := s.fileURL(q.Repository, commit, file)
	m, err := s.describeFile(ctx, address, file)
	if err != nil {
		return false, err
	}
	unlock, err := s.lock(ctx, q.Repository, m.digest)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	path := filepath.Join(s.snapshot(q.Repository, commit), filepath.FromSlash(file))
	if size, err := verify(path, m.digest); err == nil {
		q.report(file, size, m)
		return false, nil
	}
	blob := filepath.Join(s.folder(q.Repository), "blobs", m.digest)
	f := fetch{session: s, address: address, file: file, path: blob, metadata: m}
	f.progress = func(done int64) { q.report(file, done, m) }
	if err := f.ensure(ctx); err != nil {
		return errors.Is(err, errChanged) || f.resumed && errors.Is(err, errDamaged), err
	}
	return false, link(blob, path)
}

// ensure downloads the blob unless it is there and sound.
func (f *fetch) ensure(ctx context.Context) error {
	if size, err := verify(f.path, f.digest); err == nil {
		f.progress(size)
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(f.path), 0o777); err != nil {
		return err
	}
	return f.run(ctx)
}

func (q Request) report(file string, done int64, m metadata) {
	if q.Progress != nil {
		q.Progress(file, done, m.size)
	}
}
