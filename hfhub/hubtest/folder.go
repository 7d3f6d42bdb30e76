package hubtest

import (
	"io/fs"
	"os"
	"testing"
)

// PutFolder makes the files below dir those of a repository.
func (s *Server) PutFolder(t testing.TB, repository, dir string) {
	t.Helper()
	files := os.DirFS(dir)
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, name)
		s.Put(repository, name, content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
