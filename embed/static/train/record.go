package train

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// A Record says how a model came to be: what its card has under "training".
type Record struct {
	Settings Config `json:"settings"`
	// Tokens are words and numbers of the corpus.
	Tokens int64  `json:"tokens"`
	Corpus []File `json:"corpus"`
}

// A File is one of a corpus.
type File struct {
	Name   string `json:"name"` // without its folder
	SHA256 string `json:"sha256"`
	Tokens int64  `json:"tokens"`
}

// Recorded describes how m was trained with c from the files at paths, in the
// order that they were given in.
func (m *Model) Recorded(paths []string, c Config) (Record, error) {
	r := Record{Settings: c, Corpus: make([]File, len(paths))}
	for i, path := range paths {
		sum, err := sumOf(path)
		if err != nil {
			return r, fmt.Errorf("describing the corpus: %w", err)
		}
		r.Corpus[i] = File{filepath.Base(path), sum, m.Tokens[i]}
		r.Tokens += m.Tokens[i]
	}
	return r, nil
}

func sumOf(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", fmt.Errorf("reading %s: %w", path, err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
