//go:build unix

package faultdisk

import (
	"path/filepath"
	"slices"
	"sync"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// The functions of SQLite's virtual file system, https://sqlite.org/vfs.html: of
// the file system, and of a file.
type (
	openFunc     = func(tls *libc.TLS, vfs, name, file uintptr, flags int32, outFlags uintptr) int32
	deleteFunc   = func(tls *libc.TLS, vfs, name uintptr, syncDir int32) int32
	closeFunc    = func(tls *libc.TLS, file uintptr) int32
	transferFunc = func(tls *libc.TLS, file, buffer uintptr, n int32, at int64) int32
	truncateFunc = func(tls *libc.TLS, file uintptr, size int64) int32
)

// system is SQLite's access to files, and layered the same with a disk in between.
var (
	system  *sqlite3.Tsqlite3_vfs
	layered sqlite3.Tsqlite3_vfs
)

// A handle is a file that SQLite has open on a disk.
type handle struct {
	disk    *Disk
	file    *file
	methods *sqlite3.Tsqlite3_io_methods // of the system
	layered sqlite3.Tsqlite3_io_methods
}

// handles are the open ones, by the address of SQLite's sqlite3_file.
var (
	handlesMu sync.RWMutex
	handles   = make(map[uintptr]*handle)
)

// register makes the layer what SQLite opens files with.
var register = sync.OnceFunc(func() {
	tls := libc.NewTLS()
	defer tls.Close()
	system = pointer[sqlite3.Tsqlite3_vfs](sqlite3.Xsqlite3_vfs_find(tls, 0))
	layered = *system
	name, err := libc.CString("faultdisk")
	if err != nil {
		panic(err)
	}
	layered.FzName = name
	layered.FxOpen = address(xOpen)
	layered.FxDelete = address(xDelete)
	if code := sqlite3.Xsqlite3_vfs_register(tls, uintptr(unsafe.Pointer(&layered)), 1); code != sqlite3.SQLITE_OK {
		panic("faultdisk: SQLite refuses the layer")
	}
})

// pointer is what is at an address that C code gave. What is there is not Go's.
func pointer[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) }

// address and function turn a Go function into what C code calls, and back.
func address[F any](f F) uintptr        { return *(*uintptr)(unsafe.Pointer(&f)) }
func function[F any](address uintptr) F { return *(*F)(unsafe.Pointer(&address)) }

func handleOf(file uintptr) *handle {
	handlesMu.RLock()
	defer handlesMu.RUnlock()
	return handles[file]
}

// xOpen opens a file and, where that is on a disk, takes the place of the methods
// that change or read it.
func xOpen(tls *libc.TLS, vfs, name, file uintptr, flags int32, outFlags uintptr) int32 {
	open := function[openFunc](system.FxOpen)
	path := ""
	if name != 0 { // a temporary file has none
		path = libc.GoString(name)
	}
	d := diskOf(path)
	if d == nil {
		return open(tls, vfs, name, file, flags, outFlags)
	}
	opened := pointer[sqlite3.Tsqlite3_file](file)
	if code := d.ask(Open, filepath.Base(path)); code != 0 {
		opened.FpMethods = 0
		return code
	}
	code := open(tls, vfs, name, file, flags, outFlags)
	if code == sqlite3.SQLITE_OK {
		h := &handle{disk: d, file: d.opened(path, flags&sqlite3.SQLITE_OPEN_CREATE != 0)}
		h.methods = pointer[sqlite3.Tsqlite3_io_methods](opened.FpMethods)
		h.layer()
		opened.FpMethods = uintptr(unsafe.Pointer(&h.layered))
		handlesMu.Lock()
		handles[file] = h
		handlesMu.Unlock()
	}
	return code
}

// layer makes the methods that SQLite calls. Without those of version 3 it does not
// map files into memory.
func (h *handle) layer() {
	h.layered = *h.methods
	h.layered.FiVersion = 2
	h.layered.FxClose = address(xClose)
	h.layered.FxRead = address(xRead)
	h.layered.FxWrite = address(xWrite)
	h.layered.FxTruncate = address(xTruncate)
	h.layered.FxSync = address(xSync)
}

func xDelete(tls *libc.TLS, vfs, name uintptr, syncDir int32) int32 {
	remove := function[deleteFunc](system.FxDelete)
	path := libc.GoString(name)
	d := diskOf(path)
	if d == nil {
		return remove(tls, vfs, name, syncDir)
	}
	if code := d.ask(Delete, filepath.Base(path)); code != 0 {
		return code
	}
	inode := inodeOf(path)
	code := remove(tls, vfs, name, 0)
	if code == sqlite3.SQLITE_OK {
		d.deleted(inode, syncDir != 0)
	}
	return code
}

func xClose(tls *libc.TLS, file uintptr) int32 {
	h := handleOf(file)
	pointer[sqlite3.Tsqlite3_file](file).FpMethods = uintptr(unsafe.Pointer(h.methods))
	handlesMu.Lock()
	delete(handles, file)
	handlesMu.Unlock()
	return function[closeFunc](h.methods.FxClose)(tls, file)
}

func xRead(tls *libc.TLS, file, buffer uintptr, n int32, at int64) int32 {
	h := handleOf(file)
	if code := h.disk.ask(Read, h.file.name); code != 0 {
		return code
	}
	return function[transferFunc](h.methods.FxRead)(tls, file, buffer, n, at)
}

func xWrite(tls *libc.TLS, file, buffer uintptr, n int32, at int64) int32 {
	h := handleOf(file)
	failed := h.disk.ask(Write, h.file.name)
	if failed == sqlite3.SQLITE_FULL {
		n /= 2
	} else if failed != 0 {
		return failed
	}
	code := function[transferFunc](h.methods.FxWrite)(tls, file, buffer, n, at)
	if code != sqlite3.SQLITE_OK {
		return code
	}
	h.disk.changed(h.file, change{at, slices.Clone(unsafe.Slice(pointer[byte](buffer), n))})
	return failed
}

func xTruncate(tls *libc.TLS, file uintptr, size int64) int32 {
	h := handleOf(file)
	if code := h.disk.ask(Truncate, h.file.name); code != 0 {
		return code
	}
	code := function[truncateFunc](h.methods.FxTruncate)(tls, file, size)
	if code == sqlite3.SQLITE_OK {
		h.disk.changed(h.file, change{at: size})
	}
	return code
}

// xSync makes a file durable on the disk, which need not be so on the system's.
func xSync(_ *libc.TLS, file uintptr, _ int32) int32 {
	h := handleOf(file)
	if code := h.disk.ask(Sync, h.file.name); code != 0 {
		return code
	}
	h.disk.synced(h.file)
	return sqlite3.SQLITE_OK
}
