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
	"strings"
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
	// Packed says that Offset is in what unpacking gives.
	Packed bool `json:"packed,omitempty"`
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

// isOf says whether p is a position in a file, which begins as it did.
func (p position) isOf(file *os.File) bool {
	if p.HeadBytes <= 0 || p.HeadBytes > maxHead {
		return false
	}
	if info, err := file.Stat(); err != nil || !p.Packed && info.Size() < p.Offset {
		return false
	}
	head, err := headOf(file, p.HeadBytes)
	return err == nil && head == p.Head
}

// elsewhere opens the file that p is a position in, if path named it once and a
// file beside that begins with the same name is it now, as access.log.1 is; or
// returns nil.
func (p position) elsewhere(path string) *os.File {
	dir, name := filepath.Split(path)
	names, err := os.ReadDir(filepath.Clean(dir))
	if err != nil {
		return nil
	}
	for _, entry := range names {
		if entry.Name() == name || !strings.HasPrefix(entry.Name(), name) || !entry.Type().IsRegular() {
			continue
		}
		file, err := os.Open(filepath.Join(dir, entry.Name()))
		if err != nil {
			continue
		}
		if p.isOf(file) {
			return file
		}
		_ = file.Close()
	}
	return nil
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
		Packed: r.from.packed,
		Head:   r.head, HeadBytes: r.headBytes,
	}
	if now.HeadBytes == 0 {
		// Nothing was read, so there is no harm in what is put in its place.
		if err := now.recognise(r.from.file); err != nil {
			return fmt.Errorf("writing the positions of files: %w", err)
		}
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

// recognise notes by what the file is known, as far as there is anything.
func (p *position) recognise(file *os.File) error {
	info, err := file.Stat()
	if err != nil || info.Size() == 0 {
		return err
	}
	p.HeadBytes = min(maxHead, info.Size())
	p.Head, err = headOf(file, p.HeadBytes)
	return err
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
