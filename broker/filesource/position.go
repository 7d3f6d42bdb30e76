package filesource

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// A position is how far a file is settled.
type position struct {
	// Generation counts the files that the path has named.
	Generation int `json:"generation"`
	// Line and Offset are behind the last record that is settled.
	Line   int64 `json:"line"`
	Offset int64 `json:"offset"`
	// Chain is the digest up to there.
	Chain digest `json:"chain"`
	// Head is the digest of the first HeadBytes of the file, by which it is known
	// again.
	Head      digest `json:"head"`
	HeadBytes int64  `json:"head_bytes"`
}

// MarshalText writes a digest in hexadecimal digits.
func (d digest) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, d[:]), nil }

// UnmarshalText reads what MarshalText writes.
func (d *digest) UnmarshalText(text []byte) error {
	if hex.DecodedLen(len(text)) != len(d) {
		return errors.New("a digest has another length")
	}
	_, err := hex.Decode(d[:], text)
	return err
}

// maxHead bounds what a file is known by.
const maxHead = 4 << 10

// isOf says whether p is a position in a file, or one in an earlier file of its path.
func (p position) isOf(file *os.File) bool {
	if p.Line == 0 || p.HeadBytes <= 0 || p.HeadBytes > maxHead {
		return false
	}
	head, err := headOf(file, p.HeadBytes)
	return err == nil && head == p.Head
}

// headOf returns the digest of the first bytes of a file.
func headOf(file *os.File, size int64) (digest, error) {
	head := make([]byte, size)
	if n, err := file.ReadAt(head, 0); n < len(head) {
		return digest{}, err
	}
	return digest(sha256.Sum256(head)), nil
}

// positions is the file that keeps how far other files are settled, one of them in
// particular.
type positions struct {
	path string
	key  string // the path of that one, in full

	mu    sync.Mutex // guards what follows, and the writing
	all   map[string]position
	saved position
}

// openPositions reads a file of positions, which need not exist.
func openPositions(path, of string) (*positions, error) {
	key, err := filepath.Abs(of)
	if err != nil {
		return nil, fmt.Errorf("opening the file: %w", err)
	}
	p := &positions{path: path, key: key, all: map[string]position{}}
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the positions of files: %w", err)
	}
	if err := json.Unmarshal(content, &p.all); err != nil {
		return nil, fmt.Errorf("reading the positions of files: %s is damaged; without it the files are read from their starts, "+
			"and what the state knows is passed over: %w", path, err)
	}
	p.saved = p.all[key]
	return p, nil
}

// save writes down that a record and all before it are settled.
func (p *positions) save(r *record) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := position{
		Generation: r.from.number, Line: r.behind.Line, Offset: r.behind.Offset, Chain: r.chain,
		Head: r.head, HeadBytes: r.headBytes,
	}
	if now == p.saved {
		return nil
	}
	p.all[p.key] = now
	content, err := json.MarshalIndent(p.all, "", "  ")
	if err == nil {
		err = replace(p.path, append(content, '\n'))
	}
	if err != nil {
		return fmt.Errorf("writing the positions of files: %w", err)
	}
	p.saved = now
	return nil
}

// replace writes a file that after a crash is whole, the old one or the new.
func replace(path string, content []byte) error {
	draft, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = draft.Write(content)
	if err = errors.Join(err, draft.Sync(), draft.Close()); err == nil {
		err = os.Rename(draft.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(draft.Name()))
	}
	return nil
}
