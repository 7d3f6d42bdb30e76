package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gofrs/flock"
)

// takeLock locks the state in dir for this process. The operating system drops
// the lock when the process ends, however it ends; the file stays.
func takeLock(dir string) (*flock.Flock, error) {
	path := filepath.Join(dir, lockName)
	lock := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o600))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("locking state: %w", err)
	}
	if !locked {
		return nil, fmt.Errorf("%w: %s is held by %s; stop that process, or choose another state folder",
			ErrLocked, path, holder(path))
	}
	pid := strconv.Itoa(os.Getpid()) + "\n"
	if err := os.WriteFile(path, []byte(pid), 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("writing lock: %w", err), lock.Close())
	}
	return lock, nil
}

// holder names the process that wrote its pid into the lock file at path.
func holder(path string) string {
	data, err := os.ReadFile(path)
	if pid, bad := strconv.Atoi(strings.TrimSpace(string(data))); err == nil && bad == nil {
		return fmt.Sprintf("process %d", pid)
	}
	return "another process"
}
