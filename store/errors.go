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
	// by the device, so these count as full as well. Nothing of the write is
	// in the state, and it may be tried again.
	ErrFull = errors.New("no room to write the state")
	// ErrModel says that the state was made with another model.
	ErrModel = errors.New("state belongs to another model")
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
		case meansFull(e.Code()):
			return fmt.Errorf("%s: %w: %s: %w; free some and try again", doing, ErrFull, path, err)
		}
	}
	return fmt.Errorf("%s: %s: %w", doing, path, err)
}

// explainOpening is explain for the statements that run while a state is
// opened. The version of the schema is known by then and the statements are
// fixed, so that one that SQLite cannot compile shows a damaged schema.
func explainOpening(path string, err error) error {
	var e *sqlite.Error
	if errors.As(err, &e) && e.Code() == sqlite3.SQLITE_ERROR {
		return fmt.Errorf("opening state: %w", damaged(path, err.Error()))
	}
	return explain(path, "opening state", err)
}

func meansDamaged(code int) bool {
	primary := code & 0xff
	return primary == sqlite3.SQLITE_CORRUPT || primary == sqlite3.SQLITE_NOTADB ||
		code == sqlite3.SQLITE_IOERR_SHORT_READ
}

func meansFull(code int) bool {
	return code == sqlite3.SQLITE_FULL || code == sqlite3.SQLITE_IOERR_WRITE ||
		code == sqlite3.SQLITE_IOERR_SHMSIZE
}

// damaged is ErrDamaged, naming the file, what is wrong and what to do.
func damaged(path, what string) error {
	return fmt.Errorf("%w: %s: %s; restore its folder from a backup", ErrDamaged, path, what)
}
