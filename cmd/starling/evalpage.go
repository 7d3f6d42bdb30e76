package main

import (
	"errors"
	"fmt"
	"os"

	"starling/eval"
)

// A pageFile is the page of a report while it is made. It is a file of its own
// until it is whole, so that a page that was there before stays until then.
type pageFile struct {
	path string
	file *os.File
}

// createPage finds out, before any work is done, whether a page can be written.
func createPage(path string) (*pageFile, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil, fmt.Errorf("writing the report: %s is a folder", path)
	}
	file, err := os.Create(path + ".part")
	if err != nil {
		return nil, fmt.Errorf("writing the report: %w", err)
	}
	return &pageFile{path: path, file: file}, nil
}

func (p *pageFile) write(report eval.Report) error {
	err := errors.Join(report.WriteHTML(p.file), p.file.Close())
	if err == nil {
		err = os.Rename(p.file.Name(), p.path)
	}
	if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

// discard removes what a report that failed left behind.
func (p *pageFile) discard() {
	_ = p.file.Close()           // closed already where it was written
	_ = os.Remove(p.file.Name()) // not there where it was written
}
