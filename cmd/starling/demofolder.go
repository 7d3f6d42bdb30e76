package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/gofrs/flock"
)

// demoMark is a file in folders that a demo made and may empty. A running demo
// holds a lock on it.
const demoMark = ".starling-demo"

// folder returns an empty folder for the demo, and what gives it up.
func (c *demoCmd) folder() (dir string, release func(), err error) {
	dir = c.State
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", nil, fmt.Errorf("finding a folder for the demo: %w; name one with --state", err)
		}
		dir = filepath.Join(cache, "starling", "demo")
	}
	lock, err := emptyFolder(dir)
	if err != nil {
		return "", nil, fmt.Errorf("preparing the demo: %w", err)
	}
	return dir, func() { _ = lock.Close() }, nil // the process ends soon, and with it the lock
}

// emptyFolder makes dir an empty folder but for the mark, whose lock it returns.
// A folder with other things than a demo's in it is left alone.
func emptyFolder(dir string) (*flock.Flock, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	isMark := func(e os.DirEntry) bool { return e.Name() == demoMark }
	if len(entries) > 0 && !slices.ContainsFunc(entries, isMark) {
		return nil, fmt.Errorf("%s is not empty and not a demo's; name another folder with --state", dir)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(dir, demoMark))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, err
	}
	if !locked {
		return nil, fmt.Errorf("another demo runs in %s; name another folder with --state", dir)
	}
	for _, entry := range entries {
		if isMark(entry) {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, entry.Name())); err != nil {
			return nil, errors.Join(err, lock.Close())
		}
	}
	return lock, nil
}
