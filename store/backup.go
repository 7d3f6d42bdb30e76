package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Backup copies the state into the folder dest, which must not exist: what it was
// at one moment, beside the process that writes it if there is one. The copy is
// a state like any other, without the pages that are not in use. It appears under
// its name when it is whole, durable and checked, see [Store.Check]; a fault is an
// error. report is called with what the check reports; nil for nobody. SQLite's log
// cannot be emptied while the copy is made.
func (s *Store) Backup(ctx context.Context, dest string, report func(Step)) (err error) {
	dest, err = filepath.Abs(dest)
	if err != nil {
		return fmt.Errorf("backing up: %w", err)
	}
	if _, err := os.Lstat(dest); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(fmt.Errorf("backing up: %s: %w; choose another folder, which will be made", dest, fs.ErrExist), err)
	}
	// Beside dest, so that it can be renamed; of mode 0700.
	draft, err := os.MkdirTemp(filepath.Dir(dest), "."+filepath.Base(dest)+".new-*")
	if err != nil {
		return fmt.Errorf("backing up: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(draft))
		}
	}()
	if err := s.copyTo(ctx, filepath.Join(draft, fileName)); err != nil {
		return explain(dest, "backing up", err)
	}
	if err := checkCopy(ctx, draft, report); err != nil {
		return fmt.Errorf("checking the backup: %w", err)
	}
	if err := syncDir(draft); err != nil {
		return err
	}
	if err := os.Rename(draft, dest); err != nil {
		return fmt.Errorf("backing up: %w", err)
	}
	return syncDir(filepath.Dir(dest))
}

// copyTo writes a durable copy of the file to path.
func (s *Store) copyTo(ctx context.Context, path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	// SQLite takes an empty file for none, and keeps its mode.
	if _, err := s.readers.ExecContext(ctx, "VACUUM INTO ?", path); err != nil {
		return errors.Join(err, file.Close())
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return err
	}
	// Opening it once makes the log its journal, as that of every state.
	db, err := openWriting(path)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return errors.Join(err, db.Close())
}

// checkCopy opens the state in dir and checks all of it.
func checkCopy(ctx context.Context, dir string, report func(Step)) error {
	c, err := OpenReader(ctx, dir)
	if err != nil {
		return err
	}
	faults, err := c.Check(ctx, report)
	if err == nil && len(faults) > 0 {
		err = errors.Join(append(faults, errors.New("the state itself has these faults; see starling state check"))...)
	}
	return errors.Join(err, c.Close())
}

// Size returns how many bytes the file and its log take.
func (s *Store) Size() (int64, error) {
	total := int64(0)
	for _, suffix := range []string{"", "-wal"} {
		info, err := os.Stat(s.path + suffix)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("measuring the state: %w", err)
		}
		total += info.Size()
	}
	return total, nil
}
