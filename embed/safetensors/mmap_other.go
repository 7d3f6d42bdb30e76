//go:build !unix

package safetensors

import (
	"io"
	"os"
)

// mapFile reads the first size bytes of file.
func mapFile(file *os.File, size int) ([]byte, error) {
	data := make([]byte, size)
	_, err := io.ReadFull(file, data)
	return data, err
}

func unmapFile([]byte) error { return nil }

func release([]byte) {}
