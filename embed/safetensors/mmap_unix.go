//go:build unix

package safetensors

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mapFile maps the first size bytes of file, at least one, for reading.
func mapFile(file *os.File, size int) ([]byte, error) {
	data, err := unix.Mmap(int(file.Fd()), 0, size, unix.PROT_READ, unix.MAP_SHARED)
	return data, os.NewSyscallError("mmap", err)
}

func unmapFile(data []byte) error { return os.NewSyscallError("munmap", unix.Munmap(data)) }

// release gives the memory of the whole pages of data, a part of a mapping,
// back to the system. They are read from the file again where they are needed.
func release(data []byte) {
	page := uintptr(os.Getpagesize())
	start := uintptr(unsafe.Pointer(unsafe.SliceData(data)))
	skip := (page - start%page) % page
	pages := (uintptr(len(data)) - skip) / page * page
	_ = unix.Madvise(data[skip:skip+pages], unix.MADV_DONTNEED) // advice may be ignored
}
