package store

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// The errors that a caller tells apart with errors.Is. Each comes wrapped in
// one that names the file and says what to do.
var (
	// ErrLocked says that another process, or another Store of this one,
	// writes the state.
	ErrLocked = errors.New("state is in use")
	// ErrNewer says that a later version of the program wrote the state.
	ErrNewer = errors.New("state is of a newer version")
	// ErrDamaged says that the file is not a state or no longer a whole one.
	ErrDamaged = errors.New("state file is damaged")
	// ErrFull says that a write found no room. SQLite reports a write refused
	// by a quota or a file size limit (EDQUOT, EFBIG) as it reports one refused
	// by the device (EIO), so these count as full as well. Nothing of the write is
	// in the state, and it may be tried again.
	ErrFull = errors.New("no room to write the state")
	// ErrModel says that the state was made with another model.
	ErrModel = errors.New("state belongs to another model")
	// ErrLeft says that documents are wanted that a [Retention] had leave.
	ErrLeft = errors.New("documents have left the state")
	// ErrReadOnly says that the store was opened by OpenReader.
	ErrReadOnly = errors.New("state is open for reading only")
)

// explain says what the store was doing, on which file, when err came up, and
// marks damage and lack of room.
func explain(path, doing string, err error) error {
	if err == nil {
		return nil
	}
	var e *sqlite.Error
	if errors.As(err, &e) {
		switch {
		case meansDamaged(e.Code()):
			return fmt.Errorf("%s: %w", doing, damaged(path, err.Error()))
		case e.Code() == sqlite3.SQLITE_IOERR_WRITE:
			return fmt.Errorf("%s: %w: %s: %w; free some and try again, or, where there is room, see whether the disk fails",
				doing, ErrFull, path, err)
		case meansFull(e.Code()):
			return fmt.Errorf("%s: %w: %s: %w; free some and try again", doing, ErrFull, path, err)
		case meansForbidden(e.Code()):
			return fmt.Errorf("%s: %s: %w; it and its folder must be open to reading and writing, even to read it", doing, path, err)
		}
	}
	return fmt.Errorf("%s: %s: %w", doing, path, err)
}

// meansDamaged says whether SQLite found the file damaged. The statements are
// fixed and the values checked: so one that cannot be compiled shows a damaged
// schema, and one that violates a constraint a row that should not be there.
func meansDamaged(code int) bool {
	switch code & 0xff {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_FORMAT:
		return true
	}
	return code == sqlite3.SQLITE_IOERR_SHORT_READ
}

func meansFull(code int) bool {
	return code == sqlite3.SQLITE_FULL || code == sqlite3.SQLITE_IOERR_SHMSIZE
}

func meansForbidden(code int) bool {
	primary := code & 0xff
	return primary == sqlite3.SQLITE_CANTOPEN || primary == sqlite3.SQLITE_READONLY || primary == sqlite3.SQLITE_PERM
}

// damage is ErrDamaged, naming the file, what is wrong and what to do.
type damage struct{ path, what string }

func damaged(path, what string) error { return &damage{path, what} }

func (d *damage) Error() string {
	return fmt.Sprintf("%v: %s: %s; restore its folder from a backup", ErrDamaged, d.path, d.what)
}

func (d *damage) Unwrap() error { return ErrDamaged }
