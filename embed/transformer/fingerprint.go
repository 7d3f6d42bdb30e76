package transformer

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"starling/embed/transformer/kernel"
)

// inputNames are the files of a Transformer module, beside its weights, that
// embeddings depend on. Some of them may be absent.
var inputNames = append([]string{
	configName, tokenizerConfigName, "tokenizer.json", "vocab.txt", "special_tokens_map.json", "added_tokens.json",
}, lengthNames...)

// fingerprint returns a SHA-256 over all that the vectors depend on but the
// set of instructions, which changes their last bits only.
func (m *Model) fingerprint(root, dir string, weights []string, dtype kernel.DType) (string, error) {
	h := sha256.New()
	fmt.Fprintf(h, "starling transformer 1 %s %q %t\n", dtype, m.input.prefix, m.raw)
	files := []string{filepath.Join(root, modulesName)}
	for _, name := range inputNames {
		files = append(files, filepath.Join(dir, name))
	}
	files = append(append(files, m.pipeline.files...), weights...)
	for _, path := range files {
		if err := hashFile(h, path); err != nil {
			return "", fmt.Errorf("taking the fingerprint: %w", err)
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// hashFile writes a file's size and content to w; of a file that does not
// exist, that.
func hashFile(w io.Writer, path string) error {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintln(w, "no file")
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	fmt.Fprintln(w, "file", info.Size())
	// A file that brings its own WriteTo would not use the large buffer.
	_, err = io.CopyBuffer(w, struct{ io.Reader }{file}, make([]byte, 256<<10))
	return err
}
