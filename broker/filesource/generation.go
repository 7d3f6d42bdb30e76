package filesource

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"starling/dataset/rows"
)

const bufferBytes = 64 << 10

// A generation is one file that the path has named, from its opening until another
// takes its place. Standard input is one too.
type generation struct {
	name   string // for ids
	number int    // counts the files of the path
	config Config
	file   *os.File // nil for standard input
	stop   <-chan struct{}
	// start is where the reading begins, in a file that was read before.
	start position
	// rotated says that the path names another file already.
	rotated bool

	decoder   decoder
	chain     digest // of what is read
	head      digest // of the first headBytes
	headBytes int64
	closing   sync.Once
	packed    bool
	unpack    func() // frees what unpacking takes, or nil
}

// open opens the file of a path, and has it read from a position if that is of this
// file. Where it is of one that was rotated away, that is opened instead. It looks at
// the beginning of a regular file: another one, such as a pipe, may have none yet.
func open(c Config, at position, stop <-chan struct{}) (*generation, error) {
	info, err := os.Stat(c.Path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("opening the file: %w", err)
	case info.IsDir():
		return nil, fmt.Errorf("opening the file: %s is a folder; name a file in it", c.Path)
	case c.Follow && !info.Mode().IsRegular():
		return nil, fmt.Errorf("opening the file: %s is no regular file and cannot be followed", c.Path)
	}
	g := &generation{name: filepath.Base(c.Path), number: at.Generation, config: c, stop: stop}
	if g.file, err = os.Open(c.Path); err != nil {
		return nil, fmt.Errorf("opening the file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return g, nil
	}
	g.find(at)
	if err := g.probe(); err != nil {
		return nil, errors.Join(err, g.close())
	}
	return g, nil
}

// find looks where the file of a position is: at the path, or elsewhere, or gone.
func (g *generation) find(at position) {
	if at.isOf(g.file) {
		g.start = at
		return
	}
	if old := at.elsewhere(g.config.Path); old != nil {
		_ = g.file.Close() // it was not read yet
		g.file, g.start, g.rotated = old, at, true
		return
	}
	if at.HeadBytes > 0 {
		g.number++
	}
}

func (g *generation) regular() bool {
	if g.file == nil {
		return false
	}
	info, err := g.file.Stat()
	return err == nil && info.Mode().IsRegular()
}

// probe says whether the beginning can be read, and goes back to it.
func (g *generation) probe() error {
	defer g.free()
	if err := g.decode(g.file); err != nil && !errors.Is(err, io.EOF) {
		return g.explain(err)
	}
	if table, ok := g.decoder.(*tableDecoder); ok && table.names == nil {
		if err := table.readHeader(); err != nil && !errors.Is(err, io.EOF) {
			return g.explain(err)
		}
	}
	_, err := g.file.Seek(0, io.SeekStart)
	return err
}

func (g *generation) explain(err error) error {
	name := g.config.Path
	if g.file == nil {
		name = "standard input"
	}
	return fmt.Errorf("reading %s: %w", name, err)
}

// begin prepares the reading, from the start.
func (g *generation) begin() error {
	var in io.Reader = g.file
	switch {
	case g.file == nil:
		in = g.config.Stdin
	case g.config.Follow && !g.rotated:
		in = &tail{file: g.file, path: g.config.Path, stop: g.stop}
	}
	return g.decode(in)
}

// decode makes the decoder of the content, and has it go on at the start.
func (g *generation) decode(in io.Reader) error {
	r, free, err := rows.Unpack(bufio.NewReaderSize(in, bufferBytes))
	if err != nil {
		return err
	}
	g.packed, g.unpack = free != nil, free
	if g.packed && g.config.Follow {
		return errors.New("it is packed and cannot be followed")
	}
	format, err := g.config.sniff(r)
	if err != nil {
		return err
	}
	g.chain = digest{}.add(strconv.AppendInt(nil, int64(g.number), 10))
	g.decoder = newDecoder(rows.NewLines(r), format, g.config.TextColumn)
	if g.start.Line == 0 {
		return nil
	}
	g.chain = g.start.Chain
	if table, ok := g.decoder.(*tableDecoder); ok {
		if err := table.readHeader(); err != nil {
			return err
		}
	}
	at := rows.Position{Line: g.start.Line, Offset: g.start.Offset}
	if g.packed {
		_, err = io.CopyN(io.Discard, r, at.Offset-g.decoder.at().Offset)
	} else if _, err = g.file.Seek(at.Offset, io.SeekStart); err == nil {
		r.Reset(in)
	}
	g.decoder.resume(rows.Resume(r, at))
	return err
}

// next returns the next record. The error is io.EOF at the end.
func (g *generation) next() (*record, error) {
	r, err := g.decoder.next()
	if err != nil {
		return nil, err
	}
	g.chain = g.chain.add(r.body)
	r.id = fmt.Sprintf("%s:%d:%x", g.name, r.line, g.chain[:6])
	r.from, r.behind, r.chain = g, g.decoder.at(), g.chain
	if err := g.recognise(r.behind.Offset); err != nil {
		return nil, err
	}
	r.head, r.headBytes = g.head, g.headBytes
	return r, nil
}

// beginning returns what stands for all that was settled before the first record.
func (g *generation) beginning() *record {
	return &record{
		from: g, behind: rows.Position{Line: g.start.Line, Offset: g.start.Offset}, chain: g.chain,
		head: g.start.Head, headBytes: g.start.HeadBytes,
	}
}

// recognise notes what the file is known by, once more of it is read: its
// beginning, but no more than what was read, behind which it may be written. It is
// noted now and not when it is needed, for by then the file may be cut off.
func (g *generation) recognise(read int64) error {
	if g.headBytes == maxHead || !g.regular() {
		return nil
	}
	info, err := g.file.Stat()
	if err != nil {
		return err
	}
	size := min(maxHead, read, info.Size())
	if size <= g.headBytes {
		return nil
	}
	if g.head, err = headOf(g.file, size); err == nil {
		g.headBytes = size
	}
	return err
}

// free frees what unpacking took.
func (g *generation) free() {
	if g.unpack != nil {
		g.unpack()
		g.unpack = nil
	}
}

// close closes the file; again does nothing.
func (g *generation) close() (err error) {
	g.closing.Do(func() {
		if g.file != nil {
			err = g.file.Close()
		}
	})
	return err
}
