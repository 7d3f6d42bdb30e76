package filesource

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"time"
)

// lookEvery is how often a followed file is looked at for more.
const lookEvery = 50 * time.Millisecond

// A tail reads a file and at its end waits for more. It ends with io.EOF when the
// path names another file, or the file has shrunk, and with errStopped.
type tail struct {
	file *os.File
	path string
	stop <-chan struct{}
	// gone is set when the path names another file: what is left is read.
	gone bool
}

func (t *tail) Read(p []byte) (int, error) {
	for {
		select {
		case <-t.stop:
			return 0, errStopped
		default:
		}
		n, err := t.file.Read(p)
		if n > 0 || !errors.Is(err, io.EOF) {
			return n, err
		}
		if t.gone {
			return 0, io.EOF
		}
		shrunk, err := t.look()
		switch {
		case err != nil:
			return 0, err
		case shrunk:
			return 0, io.EOF
		case !t.gone && !pause(lookEvery, t.stop):
			return 0, errStopped
		}
	}
}

// look notes whether the path names another file now, and says whether the file is
// shorter than what was read of it.
func (t *tail) look() (shrunk bool, err error) {
	mine, err := t.file.Stat()
	if err != nil {
		return false, err
	}
	now, err := os.Stat(t.path)
	switch {
	case errors.Is(err, fs.ErrNotExist): // moved away; the next one will come
		return false, nil
	case err != nil:
		return false, err
	}
	t.gone = !os.SameFile(mine, now)
	offset, err := t.file.Seek(0, io.SeekCurrent)
	return mine.Size() < offset, err
}

// pause waits for a time and says whether it was not stopped.
func pause(d time.Duration, stop <-chan struct{}) bool {
	select {
	case <-time.After(d):
		return true
	case <-stop:
		return false
	}
}
