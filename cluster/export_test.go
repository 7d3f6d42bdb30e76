package cluster

import (
	"encoding/binary"
	"hash/crc32"
	"slices"
)

// WithChecksum appends to bytes the checksum that binary forms end with.
func WithChecksum(b []byte) []byte {
	return binary.LittleEndian.AppendUint32(slices.Clone(b), crc32.Checksum(b, castagnoli))
}
