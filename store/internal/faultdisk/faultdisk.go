//go:build unix

// Package faultdisk puts a disk between SQLite and the operating system that can
// lose power and fail: for tests of what survives.
//
// A disk knows of every file that SQLite writes what is durable, since it was
// synced, and what is not yet. What a power cut would leave can be had at any time,
// and any call can be made to fail:
//
//	disk := faultdisk.New(dir) // before SQLite opens a file in dir
//	disk.Before(func(c faultdisk.Call) int32 { ...; return sqlite3.SQLITE_IOERR_WRITE })
//	files := disk.Crash(random) // the names in dir, and what each file holds
//
// It is a layer over SQLite's own access to files, so what runs above it is what
// runs without it. Files in other folders do not pass through it. What a program does
// to the files in dir by itself the disk takes to be durable.
package faultdisk

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
)

// An Op is what a call asks the disk for.
type Op string

// The calls that a disk sees.
const (
	Open     Op = "open"
	Read     Op = "read"
	Write    Op = "write"
	Truncate Op = "truncate"
	Sync     Op = "sync"
	Delete   Op = "delete"
)

// A Call is one call of SQLite to a file.
type Call struct {
	Op Op
	// Name is that of the file, in the folder of the disk, when it was opened.
	Name string
}

// A Disk is a folder whose files can be lost. Its methods may be called from several
// goroutines.
type Disk struct {
	dir string

	mu     sync.Mutex
	before func(Call) int32
	files  map[uint64]*file // by inode
	gone   []*file          // were deleted, which is not durable yet
}

// A file is what a disk knows of a file.
type file struct {
	name    string // the last one that it was opened by
	durable []byte
	pending []change // in the order they were made
	fresh   bool     // its name is not durable yet
}

// A change is a write, or with nil for data a truncation at offset at.
type change struct {
	at   int64
	data []byte
}

var (
	disksMu sync.RWMutex
	disks   = make(map[string]*Disk)
)

// New returns a disk that holds what is in the folder dir, for as long as the
// process runs or until Remove.
func New(dir string) *Disk {
	register()
	d := &Disk{dir: dir, files: make(map[uint64]*file)}
	disksMu.Lock()
	defer disksMu.Unlock()
	disks[dir] = d
	return d
}

// Remove takes the disk out from under dir, for files that are opened from then on.
func (d *Disk) Remove() {
	disksMu.Lock()
	defer disksMu.Unlock()
	delete(disks, d.dir)
}

func diskOf(path string) *Disk {
	disksMu.RLock()
	defer disksMu.RUnlock()
	return disks[filepath.Dir(path)]
}

// Before has do called before each call. It returns SQLite's code of the error that
// the call fails with, or 0. A write that finds no room (SQLITE_FULL) writes half of
// what it should.
func (d *Disk) Before(do func(Call) int32) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.before = do
}

// ask returns what a call fails with.
func (d *Disk) ask(op Op, name string) int32 {
	d.mu.Lock()
	do := d.before
	d.mu.Unlock()
	if do == nil {
		return 0
	}
	return do(Call{op, name})
}

// opened notes that SQLite opened the file at path, and made it if it did.
func (d *Disk) opened(path string, fresh bool) *file {
	d.mu.Lock()
	defer d.mu.Unlock()
	inode := inodeOf(path)
	f := d.files[inode]
	if f == nil {
		content, _ := os.ReadFile(path) // nothing where it cannot be read
		f = &file{durable: content, fresh: fresh && len(content) == 0}
		d.files[inode] = f
	}
	f.name = filepath.Base(path)
	return f
}

func inodeOf(path string) uint64 {
	var stat syscall.Stat_t
	if syscall.Stat(path, &stat) != nil {
		return 0
	}
	return stat.Ino
}

func (d *Disk) changed(f *file, c change) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f.pending = append(f.pending, c)
}

// synced makes what was written to a file durable, and, as SQLite does when it has
// made the file, the names in its folder.
func (d *Disk) synced(f *file) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range f.pending {
		f.durable = c.apply(f.durable)
	}
	f.pending = nil
	if f.fresh {
		d.namesSynced()
	}
}

func (d *Disk) namesSynced() {
	d.gone = nil
	for _, f := range d.files {
		f.fresh = false
	}
}

// deleted notes that a file was deleted.
func (d *Disk) deleted(inode uint64, durably bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f := d.files[inode]; f != nil {
		delete(d.files, inode)
		d.gone = append(d.gone, f)
	}
	if durably {
		d.namesSynced()
	}
}

func (c change) apply(content []byte) []byte {
	if c.data == nil {
		return resize(content, c.at)
	}
	if end := c.at + int64(len(c.data)); end > int64(len(content)) {
		content = resize(content, end)
	}
	copy(content[c.at:], c.data)
	return content
}

// resize cuts content or adds zeros.
func resize(content []byte, size int64) []byte {
	if size <= int64(len(content)) {
		return content[:size]
	}
	return append(content, make([]byte, size-int64(len(content)))...)
}

// Crash returns what a power cut at this moment could leave in the folder: files by
// their names. What is durable is there. Of what is not there may be all, nothing, all
// up to some moment, or any sectors.
func (d *Disk) Crash(random *rand.Rand) map[string][]byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	left := make(map[string][]byte)
	for _, f := range d.gone {
		if random.IntN(2) == 0 {
			left[f.name] = f.crash(random)
		}
	}
	entries, _ := os.ReadDir(d.dir) // nothing where there is no folder
	for _, entry := range entries {
		path := filepath.Join(d.dir, entry.Name())
		f := d.files[inodeOf(path)]
		switch {
		case f == nil && filepath.Ext(path) != "":
			continue // shared memory and locks mean nothing after a power cut
		case f == nil || f.fresh && random.IntN(2) == 0:
			continue
		}
		left[entry.Name()] = f.crash(random)
	}
	return left
}

// crash returns what a power cut could leave of a file.
func (f *file) crash(random *rand.Rand) []byte {
	content, changes := slices.Clone(f.durable), f.pending
	keep := func() bool { return true }
	switch random.IntN(4) {
	case 0:
		changes = nil
	case 1:
		changes = changes[:random.IntN(len(changes)+1)]
	case 2:
		keep = func() bool { return random.IntN(2) == 0 }
	}
	sector := []int{512, 4096}[random.IntN(2)]
	for _, c := range changes {
		for _, part := range c.sectors(sector) {
			if keep() {
				content = part.apply(content)
			}
		}
	}
	return content
}

// sectors returns a change as changes of a sector each, or less.
func (c change) sectors(size int) (parts []change) {
	if c.data == nil {
		return []change{c}
	}
	for at, data := c.at, c.data; len(data) > 0; {
		n := min(len(data), size-int(at%int64(size)))
		parts = append(parts, change{at, data[:n]})
		at, data = at+int64(n), data[n:]
	}
	return parts
}
