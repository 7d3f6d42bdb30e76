package dataset

import (
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
)

// A meter reads a body, sums it and tells of every read.
type meter struct {
	r    io.Reader
	sum  hash.Hash
	read func(n int)
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.sum.Write(p[:n])
	m.read(n)
	return n, err
}

// copy writes the body to w and checks that it is complete: size bytes, if
// size is not negative, that have the SHA-256 want, if that is known.
func (m *meter) copy(w io.Writer, size int64, want string) error {
	n, err := io.Copy(w, io.LimitReader(m, maxDownload+1))
	switch {
	case err != nil:
		return err
	case n > maxDownload:
		return fmt.Errorf("the file is longer than the limit of %d bytes", maxDownload)
	case size >= 0 && n != size:
		return fmt.Errorf("%d bytes came of %d", n, size)
	}
	if got := hex.EncodeToString(m.sum.Sum(nil)); want != "" && got != want {
		return fmt.Errorf("the file's SHA-256 is %s where the hub states %s", got, want)
	}
	return nil
}

// writeFile makes the file at path with what fill writes. Until fill is done
// and the bytes are on disk it has another name.
func writeFile(path string, fill func(io.Writer) error) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".part*")
	if err != nil {
		return err
	}
	err = fill(f)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
