package ui

import (
	"compress/gzip"
	"io/fs"
	"testing"
)

// mostBytes is how large the page may be, all of it, as gzip makes it.
const mostBytes = 500 << 10

func TestThePageIsSmall(t *testing.T) {
	var sent counter
	err := fs.WalkDir(built, "dist", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(built, path)
		if err != nil {
			return err
		}
		z := gzip.NewWriter(&sent)
		if _, err := z.Write(data); err != nil {
			return err
		}
		return z.Close()
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes", sent)
	if sent == 0 || sent > mostBytes {
		t.Errorf("the page takes %d bytes, want 1 to %d", sent, mostBytes)
	}
}

// A counter counts what is written to it.
type counter int

func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}
